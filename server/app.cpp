// How the parts of `weir serve` are connected, and in which order they end: first the readiness,
// then the listener, the sessions, and the clients last, because sessions use them.
#include "server/app.hpp"

#include "scalers/signal.hpp"
#include "scalers/text/utf8.hpp"
#include "server/build_info.hpp"
#include "server/crypto/file_digest.hpp"
#include "server/http/endpoints.hpp"
#include "server/logging/log.hpp"
#include "server/tls/context.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>

namespace weir::server {
namespace {

constexpr Duration kLongestDrain{32'000};  // the longest deadline of a metric, and a little
constexpr Duration kDrainTick{20};
// glibc keeps the buffers of a large page in the holes that the reading of the configuration left,
// and would not return them to the kernel on its own.
constexpr std::size_t kLargePageBytes = 1 << 20;
constexpr int kTicksOfPage = 2;  // within which most callers have read theirs

// Throws, because an unusable flag ends the process at the start. A reload catches it and keeps the
// bundle in use.
std::optional<CaBundle> load_bundle(const std::string& path, std::string_view flag) {
  if (path.empty()) return std::nullopt;
  auto loaded = CaBundle::load(path);
  if (const auto* invalid = std::get_if<CaBundle::Invalid>(&loaded)) {
    throw std::runtime_error(fmt::format("{} {}: {}", flag, path, invalid->why));
  }
  return std::get<CaBundle>(std::move(loaded));
}

ClientTrust load_trust(const ServeOptions& options) {
  return {load_bundle(options.requestheader_client_ca_file, "--requestheader-client-ca-file"),
          load_bundle(options.client_ca_file, "--client-ca-file")};
}

KeyPair serving_pair(const ServeOptions& options) {
  if (!options.tls_cert_file.empty()) return {options.tls_cert_file, options.tls_private_key_file};
  return self_signed_pair(options.cert_dir, options.bind_address);
}

ServingPairs serving_pairs(const ServeOptions& options) {
  return {serving_pair(options), options.tls_sni_pairs};
}

// What a rotation replaces: the serving pairs, and the bundles that the flags name.
std::vector<std::string> tls_files(const ServeOptions& options, const ServingTls& tls) {
  auto out = tls.files();
  for (const auto* path : {&options.requestheader_client_ca_file, &options.client_ca_file}) {
    if (!path->empty()) out.push_back(*path);
  }
  return out;
}

// The names of a request's headers are in lower case, those of the flags are not.
std::vector<std::string> lower(std::vector<std::string> names) {
  for (std::string& name : names) {
    name = scalers::lower_case(name);
  }
  return names;
}

apiservice::FrontProxyRules rules_of(const ServeOptions& options) {
  return {options.requestheader_allowed_names,
          lower(options.requestheader_username_headers),
          lower(options.requestheader_group_headers),
          lower(options.requestheader_extra_headers_prefix),
          lower(options.requestheader_uid_headers)};
}

// Of the signals that App waits for.
const char* signal_name(int number) { return number == SIGINT ? "SIGINT" : "SIGTERM"; }

std::vector<std::string> names_of(const scalers::World& world) {
  std::vector<std::string> out;
  // In lower case, as the client of an HPA asks for them.
  for (const scalers::MetricInfo& metric : world.metrics())
    out.push_back(scalers::lower_case(metric.name));
  return out;
}

apiservice::VersionInfo version_info() {
  const BuildInfo build = build_info();
  return {build.commit, build.commit_date, build.compiler};
}

}  // namespace

App::App(Loop& loop,
         scalers::Clients& clients,
         const Clock& clock,
         Telemetry& telemetry,
         LoadedWorld loaded,
         const ServeOptions& options)
    : loop_(loop),
      clients_(clients),
      clock_(clock),
      telemetry_(telemetry),
      world_(std::move(loaded.world)),
      options_(options),
      trust_(load_trust(options)),
      tls_(serving_pairs(options), options.tls, trust_),
      rules_(rules_of(options)),
      cluster_(make_cluster(options)),
      external_(world_, &world_),
      api_({.rules = rules_,
            .tokens = cluster_ ? &cluster_->tokens() : nullptr,
            .authorizer = cluster_ ? cluster_->access() : standalone_,
            .max_in_flight = options.max_requests_in_flight,
            .version = version_info()},
           groups(),
           server_endpoints(health_, [this] { return telemetry_page(); })),
      registry_(std::make_shared<SessionRegistry>(telemetry)),
      listener_(loop,
                options.bind_address,
                options.secure_port,
                SessionDeps{loop, api_, tls_, trust_, clock_, telemetry_, registry_}),
      backend_watch_(clients, [this] { reload_->load_again(); }),
      signals_(loop.get_executor(), SIGTERM, SIGINT),
      stop_at_once_(loop) {
  log(Level::info,
      "serving",
      {{"address", options.bind_address},
       {"port", options.secure_port},
       {"metrics", world_.world().metrics().size()},
       {"version", WEIR_VERSION}});
  if (options.healthz_port != 0)
    health_port_.emplace(loop, options.bind_address, options.healthz_port, health_, clock_);
  telemetry_.set_endpoints(api_.group_versions(), api_.endpoints());
  telemetry_.set_metrics(world_.world().metrics(), world_.world().index());
  // Last, because these call back into the parts above.
  start_watches(std::move(loaded));
  // The nodes of the configuration are freed by this time.
  give_back_memory();
}

void App::start_watches(LoadedWorld loaded) {
  lag_.emplace(loop_, [this](auto late) { tick(late); });
  tls_watch_.emplace(loop_, tls_files(options_, tls_), [this] { reload_tls(); });
  reload_.emplace(
      loop_,
      options_.config,
      options_.config_errors,
      std::move(loaded),
      [this](const auto& documents, const auto& skipped, scalers::Problems& problems) {
        return build(documents, skipped, problems);
      },
      [this](std::unique_ptr<scalers::World> world) { take(std::move(world)); });
}

std::unique_ptr<scalers::World> App::build(const std::vector<scalers::Node>& documents,
                                           const std::vector<scalers::Node>& skipped,
                                           scalers::Problems& problems) {
  // A backend continues in its state of health: a reload must not make one that is settling look
  // recovered.
  const auto before = world_.world().backends();
  return scalers::World::build(documents,
                               loop_,
                               clients_,
                               clock_,
                               telemetry_,
                               problems,
                               before,
                               skipped);
}

void App::take(std::unique_ptr<scalers::World> world) {
  world_.replace(std::move(world));
  // After the replacement, because both read the resources from the World in use.
  api_.set_groups(groups());
  telemetry_.set_metrics(world_.world().metrics(), world_.world().index());
}

std::vector<apiservice::ApiGroup> App::groups() {
  std::vector<apiservice::ApiGroup> out;
  out.push_back(apiservice::external_metrics_group(names_of(world_.world()), &external_));
  return out;
}

std::string App::telemetry_page() {
  Telemetry::State state{clock_.wall(),
                         std::nullopt,
                         expiry_of(tls_.contexts()->main()),
                         world_.world().backends(),
                         log_lines_dropped(),
                         {registry_->certified(), registry_->strangers(), registry_->pool()},
                         clock_.steady()};
  // Absent during a drain, while /metrics is still served.
  if (reload_) {
    state.config = {reload_->is_successful(), reload_->succeeded_at(), reload_->skipped_files()};
  }
  std::string page = telemetry_.page(state);
  if (page.size() > kLargePageBytes) page_ticks_ = kTicksOfPage;
  return page;
}

void App::tick(std::chrono::duration<double> late) {
  telemetry_.loop_was_late(late);
  flush_repeat_counts();
  telemetry_.flush_handshake_counts(clock_.steady());
  backend_watch_.check(world_.world().backends(), clock_.steady());
  clients_.check_credentials(clock_.steady());
  if (page_ticks_ == 1) give_back_memory();
  page_ticks_ = std::max(0, page_ticks_ - 1);
}

void App::reload_tls() {
  // The watch also calls once a minute. A new generation makes every session verify its peer again,
  // and new contexts read every key. The digest comes before the files are loaded, so that a change
  // in between is loaded by the next call. The first call loads once more: the files may have
  // changed since the start.
  std::string digest = file_digest(tls_files(options_, tls_));
  if (std::exchange(tls_digest_, digest) == digest) return;
  // The pairs and the bundles are independent: a bad pair does not keep an old CA trusted.
  const auto failure = tls_.reload();
  if (failure) {
    log(Level::error, "serving_certificate_reload_failed", {{"reason", *failure}});
    tls_digest_.clear();  // tried again by the next call
  }
  try {
    // Both bundles are read before either is replaced, so that a bad file changes nothing.
    ClientTrust read = load_trust(options_);
    // Without a flag the bundle is the cluster's, or none.
    if (read.request_header_ca) trust_.request_header_ca = std::move(read.request_header_ca);
    if (read.client_ca) trust_.client_ca = std::move(read.client_ca);
    // Open sessions compute the facts of their peers again at the next request.
    ++trust_.generation;
  } catch (const std::runtime_error& failed) {
    log(Level::error, "client_ca_reload_failed", {{"reason", failed.what()}});
    tls_digest_.clear();
  }
  // The contexts above were built with the bundles from before the reload.
  tls_.set_client_ca_names();
}

std::unique_ptr<cluster::Cluster> App::make_cluster(const ServeOptions& options) {
  if (options.is_standalone) return nullptr;
  return std::make_unique<cluster::Cluster>(
      loop_,
      clients_,
      clock_,
      options,
      cluster::Trusted{trust_, rules_, health_, [this] { tls_.set_client_ca_names(); }});
}

void App::run() {
  listener_.start();
  if (health_port_) health_port_->start();
  if (cluster_) cluster_->start();
  boost::asio::co_spawn(loop_.get_executor(), wait_for_signals(), rethrow);
  loop_.run();
  // Counts of repeated lines that nobody would write after the loop.
  flush_log();
  log(Level::info, "stopped", {});
}

awaitable<void> App::wait_for_signals() {
  const auto [failed, number] = co_await signals_.async_wait(boost::asio::as_tuple(use_awaitable));
  if (failed) co_return;
  log(Level::info, "draining", {{"signal", signal_name(number)}, {"sessions", registry_->size()}});
  // First, because /readyz has to fail before the listener closes: a Service needs time to drop
  // this replica.
  health_.begin_shutdown();
  // These have coroutines that wait for files and timers, and would keep the loop from ending.
  reload_.reset();
  tls_watch_.reset();
  lag_.reset();
  boost::asio::co_spawn(loop_.get_executor(), end_at_next_signal(), rethrow);
  // Callers learn of the end from an answer, not from a connection that closes on their request.
  registry_->end_keep_alive();
  co_await stop_at_once_.wait(options_.shutdown_delay);
  // Before the idle sessions close: a connection accepted after them would stay until its time
  // limit.
  listener_.close();
  if (health_port_) health_port_->close();
  registry_->begin_drain();
  co_await drain();
  is_drained_ = true;
  end_all();
  // Ends end_at_next_signal(), which would keep the loop from ending.
  signals_.cancel();
}

awaitable<void> App::end_at_next_signal() {
  if (is_drained_) co_return;  // the drain may be through before this coroutine first runs
  const auto [failed, number] = co_await signals_.async_wait(boost::asio::as_tuple(use_awaitable));
  if (failed) co_return;
  log(Level::warn, "stopping_at_once", {{"signal", signal_name(number)}});
  stop_at_once_.raise();
  end_all();
}

awaitable<void> App::drain() {
  const Deadline deadline = Deadline::after(clock_.steady(), kLongestDrain);
  scalers::Timer tick(loop_.get_executor());
  // Polled: a session ends in many ways, and none of them has to report to the drain.
  while (registry_->size() > 0 && !deadline.is_past(clock_.steady())) {
    tick.expires_after(kDrainTick);
    co_await tick.async_wait(boost::asio::as_tuple(use_awaitable));
  }
}

void App::end_all() {
  registry_->close_all();
  if (cluster_) cluster_->close();
  // Last, because sessions and reviews use the clients.
  clients_.close();
}

}  // namespace weir::server
