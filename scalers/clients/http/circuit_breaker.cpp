// Two memories with different keys: a host is unreachable for everybody, a login is rejected for
// one backend only.
#include "scalers/clients/http/circuit_breaker.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <utility>

namespace weir::scalers::clients {
namespace {

// Never longer, so that a host is queried again within 2 s of its recovery.
constexpr Breaker::Pauses kPauses{Duration{2'000}, Duration{2'000}};
constexpr long kUnauthorized = 401;
// Enough for a cached body to explain the 401: errors show 300 bytes of it.
constexpr std::size_t kMaxCachedBody = 4096;
// Callers choose the namespace, which may be part of a scope, so the logins need a bound.
constexpr std::size_t kMaxRejections = 1000;
constexpr Duration kDropInterval{1'000};

std::string origin_of(const HttpRequest& request) {
  // With its proxy, which may be what cannot be reached.
  return fmt::format("{} {}://{} {}",
                     request.proxy ? request.proxy->text() : "",
                     request.url.scheme,
                     request.url.authority(),
                     request.address);
}

// Identifies the backend and its credentials. Empty for a request without credentials.
std::string login_of(const HttpRequest& request) {
  std::string credentials;
  for (const HttpHeader& header : request.headers) {
    if (header.is_secret) credentials += header.name + '\n' + header.value.reveal() + '\n';
  }
  if (request.basic)
    credentials += request.basic->first.reveal() + '\n' + request.basic->second.reveal();
  if (credentials.empty()) return credentials;
  return fmt::format("{}{} {}",
                     origin_of(request),
                     request.auth_scope,
                     // A hash, so that the key holds no secret.
                     std::hash<std::string>{}(credentials));
}

}  // namespace

HttpCircuitBreaker::HttpCircuitBreaker() : rejected_(kMaxRejections, kMaxRejections) {}

std::optional<Result<HttpReply>> HttpCircuitBreaker::cached_failure(const HttpRequest& request,
                                                                    SteadyTime now) {
  drop_expired(now);
  const std::string login = login_of(request);
  if (const Rejection* rejection = rejected_.find(login)) {
    if (now < rejection->valid_until) return rejection->reply;
    rejected_.erase(login);
  }
  const auto host = unreachable_.find(origin_of(request));
  if (host == unreachable_.end()) return std::nullopt;
  const auto failure = host->second.cached_failure(now);
  if (!failure) return std::nullopt;
  return *failure;
}

bool HttpCircuitBreaker::is_open_for(const HttpRequest& request) {
  return rejected_.find(login_of(request)) != nullptr || unreachable_.contains(origin_of(request));
}

void HttpCircuitBreaker::note(const HttpRequest& request,
                              const Result<HttpReply>& outcome,
                              HostState host,
                              SteadyTime now) {
  if (host == HostState::unknown) return;
  const std::string origin = origin_of(request);
  if (host == HostState::unreachable) {
    unreachable_.try_emplace(origin, kPauses).first->second.note_failure(outcome.error(), now);
    return;
  }
  // Also after a refused connection: that host is up, and connecting to it costs nothing.
  unreachable_.erase(origin);
  if (!request.caches_unauthorized || !outcome || outcome->status != kUnauthorized) return;
  const std::string login = login_of(request);
  // Without credentials there is no login to remember.
  if (login.empty()) return;
  HttpReply reply{outcome->status, outcome->body.substr(0, kMaxCachedBody), outcome->clock_ahead};
  rejected_.put(login, origin, {std::move(reply), now + Breaker::kRefusedPause});
}

void HttpCircuitBreaker::drop_expired(SteadyTime now) {
  if (now < next_drop_) return;
  next_drop_ = now + kDropInterval;
  rejected_.erase_if([now](const Rejection& entry) { return now >= entry.valid_until; });
}

}  // namespace weir::scalers::clients
