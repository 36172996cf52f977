// A list and then watches, as a Reflector of client-go does for one object.
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
// Watches are short, so that a connection that was lost without a FIN is noticed.
constexpr int kWatchSeconds = 120;
// The server ends the watch 10 s earlier, so that only a silent connection reaches this limit.
constexpr Duration kWatchLimit{(kWatchSeconds + 10) * 1000};
// A watch that ends earlier than this without an event counts as a failure. A server that closes
// every watch would otherwise be queried without a pause.
constexpr Duration kShortWatch{1'000};
// 30 s, or 45 s with jitter, until a Role that was bound takes effect.
constexpr Backoff kBackoff{Duration{500}, 2.0, 0.5, Duration{30'000}};
// As long as a list may be, because an event has the whole ConfigMap.
constexpr std::size_t kMaxLineBytes = std::size_t{4} << 20;
// The code of an end that is normal for a watch: it causes a pause, but no log line.
constexpr Errc kUnlogged = Errc::stale;
constexpr long kOk = 200;
constexpr long kGone = 410;

std::string path() { return fmt::format("/api/v1/namespaces/{}/configmaps", kConfigMapNamespace); }

// The kube-apiserver takes the name for RBAC from this selector, and the Role permits this one
// name.
std::string selector() { return fmt::format("fieldSelector=metadata.name%3D{}", kConfigMapName); }

// The two statuses that a user can fix have texts of their own.
Error failure_of(long status) {
  switch (status) {
    case 401:
      return {
          Errc::refused,
          "the kube-apiserver rejected the credentials of Weir's account (401); check its token or "
          "client certificate",
          ""};
    case 403:
      return {
          Errc::refused,
          fmt::format("Weir's account has no permission to read the ConfigMap (403); bind it to "
                      "the Role {}-reader in {}",
                      kConfigMapName,
                      kConfigMapNamespace),
          ""};
    default:
      return {Errc::bad_reply,
              fmt::format("the kube-apiserver responded with HTTP {}", status),
              ""};
  }
}

}  // namespace

TrustWatch::TrustWatch(Loop& loop, KubeClient& client, const Clock& clock, TrustEvents events)
    : loop_(loop), client_(client), clock_(clock), events_(std::move(events)), closing_(loop) {}

void TrustWatch::start() {
  boost::asio::co_spawn(loop_.get_executor(), run(shared_from_this()), rethrow);
}

void TrustWatch::close() {
  // A watch in flight ends with its next chunk, or when the HTTP client is closed.
  is_closed_ = true;
  closing_.raise();
}

awaitable<void> TrustWatch::run(std::shared_ptr<TrustWatch> self) {
  while (!self->is_closed_) {
    const auto failure = co_await self->list_or_watch();
    if (self->is_closed_) co_return;
    self->log_outcome(failure);
    // No pause after a list or after a watch that ended in time: the next watch starts at once.
    if (!failure) continue;
    const double chance = std::generate_canonical<double, 32>(self->random_);
    const Duration pause = kBackoff.pause(self->failures_ - 1, chance);
    co_await self->closing_.wait(pause);
  }
}

awaitable<std::optional<Error>> TrustWatch::list_or_watch() {
  if (resource_version_.empty()) return list();
  return watch();
}

awaitable<std::optional<Error>> TrustWatch::list() {
  const auto reply =
      co_await client_.get(path(), selector(), Deadline::after(clock_.steady(), kListLimit));
  // The events must not be called after close().
  if (is_closed_) co_return std::nullopt;
  if (!reply) co_return reply.error();
  if (reply->status != kOk) co_return failure_of(reply->status);
  const auto config_maps = parse_config_map_list(reply->body);
  if (!config_maps) co_return config_maps.error();
  resource_version_ = config_maps->resource_version;
  if (config_maps->data) {
    events_.on_config(*config_maps->data);
  } else {
    events_.on_missing();
  }
  co_return std::nullopt;
}

awaitable<std::optional<Error>> TrustWatch::watch() {
  has_received_event_ = false;
  is_broken_ = false;
  is_gone_ = false;
  LineBuffer lines(kMaxLineBytes);
  const SteadyTime started = clock_.steady();
  const std::string query =
      // Bookmarks keep the resource version recent while the ConfigMap does not change. The server
      // compacts old versions, and a watch from one of them fails with 410.
      fmt::format("{}&watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                  selector(),
                  kWatchSeconds,
                  scalers::percent_encoded(resource_version_));
  // `lines` lives in this frame; no chunk arrives after stream() has returned.
  const auto on_chunk = [this, &lines](const std::string& piece) {
    const auto complete = lines.take(piece);
    is_broken_ = is_broken_ || is_closed_ || !complete;
    if (is_broken_) return false;
    for (const std::string& line : *complete) handle_event(line);
    return !is_broken_;
  };
  const auto reply =
      co_await client_.stream(path(), query, on_chunk, Deadline::after(started, kWatchLimit));
  co_return outcome_of(reply, clock_.steady() - started >= kShortWatch);
}

std::optional<Error> TrustWatch::outcome_of(const Result<HttpReply>& reply, bool has_lasted) {
  const bool is_late = !reply && reply.error().code == Errc::timed_out;  // a silent connection
  // A watch that worked for some time starts the backoff from its first pause.
  if (has_lasted || has_received_event_ || is_late) failures_ = 0;
  const bool is_over = reply && reply->status == kOk && !is_broken_;
  if (is_over && has_lasted) return std::nullopt;
  if (is_over && has_received_event_) return Error{kUnlogged, "the watch ended at once", ""};
  // From here on the next step is a list.
  resource_version_.clear();
  // Without a pause, because the silent watch was one already.
  if (is_late) return std::nullopt;
  if (is_gone_ || (reply && reply->status == kGone))
    return Error{kUnlogged, "the resource version of the watch is too old", ""};
  if (!reply) return reply.error();
  if (reply->status != kOk) return failure_of(reply->status);
  return Error{Errc::bad_reply, "the watch ended at once, or with an invalid event", ""};
}

void TrustWatch::handle_event(std::string_view line) {
  if (is_broken_) return;
  const WatchEvent event = parse_watch_event(line);
  switch (event.kind) {
    case WatchEvent::Kind::changed: events_.on_config(event.data); break;
    // The watch goes on, because the ConfigMap may be created again.
    case WatchEvent::Kind::deleted: events_.on_missing(); break;
    case WatchEvent::Kind::bookmark: break;
    case WatchEvent::Kind::gone: is_gone_ = true; [[fallthrough]];
    case WatchEvent::Kind::error: is_broken_ = true; return;
  }
  resource_version_ = event.resource_version;
  has_received_event_ = true;
}

void TrustWatch::log_outcome(const std::optional<Error>& failure) {
  if (failure) ++failures_;
  // `last_failure_` stays, so that a normal end between two equal failures logs nothing.
  if (failure && failure->code == kUnlogged) return;
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
