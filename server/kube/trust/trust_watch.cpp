#include "server/kube/trust/trust_watch.hpp"

#include "server/kube/client/backoff.hpp"
#include "server/kube/trust/authentication_config.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <utility>
#include <vector>

namespace weir::server::cluster {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::Result;
using scalers::clients::HttpReply;

constexpr Duration kListLimit{10'000};
// A watch is short, so that a connection that died without a word is noticed.
constexpr int kWatchSeconds = 120;
constexpr Duration kWatchLimit{(kWatchSeconds + 10) * 1000};
// A watch that ended sooner than this without an event counts as a failure.
constexpr Duration kShortWatch{1'000};
constexpr Backoff kBackoff{Duration{500}, 2.0, 0.5, Duration{30'000}};
constexpr std::size_t kMaxLineBytes = std::size_t{4} << 20;
// Of an end that a watch comes to now and then: a pause is due, a line in the log is not.
constexpr Errc kQuiet = Errc::stale;
constexpr long kOk = 200;
constexpr long kGone = 410;

std::string path() { return fmt::format("/api/v1/namespaces/{}/configmaps", kConfigMapNamespace); }

std::string selector() { return fmt::format("fieldSelector=metadata.name%3D{}", kConfigMapName); }

Error failure_of(long status) {
  switch (status) {
    case 401:
      return {Errc::refused,
              "the kube-apiserver does not know Weir's own account (401); is its token or client "
              "certificate valid?",
              ""};
    case 403:
      return {Errc::refused,
              fmt::format("the kube-apiserver does not let Weir read the ConfigMap (403); bind its "
                          "account to the Role {}-reader in {}",
                          kConfigMapName,
                          kConfigMapNamespace),
              ""};
    default: return {Errc::bad_reply, fmt::format("the kube-apiserver answered {}", status), ""};
  }
}

}  // namespace

TrustWatch::TrustWatch(Loop& loop, KubeClient& client, const Clock& clock, TrustEvents events)
    : loop_(loop), client_(client), clock_(clock), events_(std::move(events)), closing_(loop) {}

void TrustWatch::start() {
  boost::asio::co_spawn(loop_.get_executor(), run(shared_from_this()), rethrow);
}

void TrustWatch::close() {
  is_closed_ = true;
  closing_.raise();
}

awaitable<void> TrustWatch::run(std::shared_ptr<TrustWatch> self) {
  while (!self->is_closed_) {
    const auto failure = co_await self->step();
    if (self->is_closed_) co_return;
    self->note(failure);
    if (!failure) continue;
    const double chance = std::generate_canonical<double, 32>(self->random_);
    const Duration pause = kBackoff.pause(self->failures_ - 1, chance);
    co_await self->closing_.wait(pause);
  }
}

awaitable<std::optional<Error>> TrustWatch::step() {
  if (resource_version_.empty()) return list();
  return watch();
}

awaitable<std::optional<Error>> TrustWatch::list() {
  const auto reply =
      co_await client_.get(path(), selector(), Deadline::after(clock_.steady(), kListLimit));
  if (is_closed_) co_return std::nullopt;
  if (!reply) co_return reply.error();
  if (reply->status != kOk) co_return failure_of(reply->status);
  const auto found = parse_config_map_list(reply->body);
  if (!found) co_return found.error();
  resource_version_ = found->resource_version;
  if (found->data) {
    events_.on_config(*found->data);
  } else {
    events_.on_missing();
  }
  co_return std::nullopt;
}

awaitable<std::optional<Error>> TrustWatch::watch() {
  has_heard_ = false;
  is_broken_ = false;
  is_gone_ = false;
  LineBuffer lines(kMaxLineBytes);
  const SteadyTime started = clock_.steady();
  const std::string query =
      fmt::format("{}&watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                  selector(),
                  kWatchSeconds,
                  scalers::percent_encoded(resource_version_));
  // `lines` lives in this frame, and no piece comes behind the end of stream().
  const auto on_chunk = [this, &lines](const std::string& piece) {
    const auto complete = lines.take(piece);
    is_broken_ = is_broken_ || is_closed_ || !complete;
    if (is_broken_) return false;
    for (const std::string& line : *complete) take(line);
    return !is_broken_;
  };
  const auto reply =
      co_await client_.stream(path(), query, on_chunk, Deadline::after(started, kWatchLimit));
  co_return ending_of(reply, clock_.steady() - started >= kShortWatch);
}

std::optional<Error> TrustWatch::ending_of(const Result<HttpReply>& reply, bool has_lasted) {
  const bool is_late = !reply && reply.error().code == Errc::timed_out;  // a silent connection
  if (has_lasted || has_heard_ || is_late) failures_ = 0;
  const bool is_over = reply && reply->status == kOk && !is_broken_;
  if (is_over && has_lasted) return std::nullopt;
  if (is_over && has_heard_) return Error{kQuiet, "the watch ended at once", ""};
  resource_version_.clear();
  if (is_late) return std::nullopt;
  if (is_gone_ || (reply && reply->status == kGone))
    return Error{kQuiet, "the watch began from too old a version", ""};
  if (!reply) return reply.error();
  if (reply->status != kOk) return failure_of(reply->status);
  return Error{Errc::bad_reply, "the watch ended at once, or with what is no event", ""};
}

void TrustWatch::take(std::string_view line) {
  if (is_broken_) return;
  const WatchEvent event = parse_watch_event(line);
  switch (event.kind) {
    case WatchEvent::Kind::changed: events_.on_config(event.data); break;
    case WatchEvent::Kind::deleted: events_.on_missing(); break;
    case WatchEvent::Kind::bookmark: break;
    case WatchEvent::Kind::gone: is_gone_ = true; [[fallthrough]];
    case WatchEvent::Kind::error: is_broken_ = true; return;
  }
  resource_version_ = event.resource_version;
  has_heard_ = true;
}

void TrustWatch::note(const std::optional<Error>& failure) {
  if (failure) ++failures_;
  if (failure && failure->code == kQuiet) return;
  const std::string text = failure ? failure->message() : std::string();
  if (text == last_failure_) return;
  last_failure_ = text;
  if (failure) {
    log(Level::warn,
        "authentication_config_unreadable",
        {{"code", name_of(failure->code)}, {"reason", text}});
  } else {
    log(Level::info, "authentication_config_read", {});
  }
}

}  // namespace weir::server::cluster
