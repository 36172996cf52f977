#include "scalers/clients/http/guard.hpp"

#include <fmt/format.h>

#include <functional>

namespace weir::scalers::clients {
namespace {

constexpr Breaker::Pauses kPauses{Duration{2'000}, Duration{2'000}};
constexpr long kUnauthorized = 401;
constexpr std::size_t kMaxKeptBody = 4096;

std::string origin_of(const HttpRequest& request) {
  return fmt::format("{}://{}", request.url.scheme, request.url.authority());
}

// Which login this is: the backend and what it shows. Empty when it shows nothing.
std::string login_of(const HttpRequest& request) {
  std::string shown;
  for (const HttpHeader& header : request.headers) {
    if (header.is_secret) shown += header.name + '\n' + header.value.reveal() + '\n';
  }
  if (request.basic) shown += request.basic->first.reveal() + '\n' + request.basic->second.reveal();
  if (shown.empty()) return shown;
  return fmt::format("{}{} {}", origin_of(request), request.realm, std::hash<std::string>{}(shown));
}

}  // namespace

std::optional<Result<HttpReply>> HttpGuard::stand_in(const HttpRequest& request, SteadyTime now) {
  forget_old(now);
  if (const auto kept = refused_.find(login_of(request)); kept != refused_.end())
    return kept->second.reply;
  const auto found = unconnected_.find(origin_of(request));
  if (found == unconnected_.end()) return std::nullopt;
  const auto failure = found->second.stand_in(now);
  if (!failure) return std::nullopt;
  return *failure;
}

bool HttpGuard::is_open_for(const HttpRequest& request) const {
  return refused_.contains(login_of(request)) || unconnected_.contains(origin_of(request));
}

void HttpGuard::note(const HttpRequest& request,
                     const Result<HttpReply>& outcome,
                     Reach reach,
                     SteadyTime now) {
  if (reach == Reach::untold) return;
  const std::string origin = origin_of(request);
  if (reach == Reach::silent) {
    unconnected_.try_emplace(origin, kPauses).first->second.note_failure(outcome.error(), now);
    return;
  }
  unconnected_.erase(origin);
  if (!request.is_refusal_kept || !outcome || outcome->status != kUnauthorized) return;
  const std::string login = login_of(request);
  if (login.empty()) return;
  HttpReply kept{outcome->status, outcome->body.substr(0, kMaxKeptBody)};
  refused_.insert_or_assign(login, Refusal{std::move(kept), now + Breaker::kRefusedPause});
}

void HttpGuard::forget_old(SteadyTime now) {
  std::erase_if(refused_, [now](const auto& one) { return now >= one.second.until; });
}

}  // namespace weir::scalers::clients
