// The judgement of a backend from its answers, apart from the reader, because `settle` and the
// log's backend_down depend on it alone.
#include "scalers/read/backend_health.hpp"

#include "scalers/read/failures/failing_reads.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers::read {
namespace {

bool is_backend_failure(Errc code) {
  return code == Errc::unreachable || code == Errc::tls || code == Errc::refused ||
         code == Errc::timed_out;
}

// A query that Weir itself refused before it was sent shows neither an outage nor the end of one.
// The server's own refusals have these codes, too, and words of the server with them.
bool is_inconclusive(const Answer& answer) {
  if (!answer.samples.has_error()) return false;
  const Error& error = answer.samples.error();
  const bool is_refusal = error.code == Errc::bad_request || error.code == Errc::overloaded ||
                          error.code == Errc::misconfigured;
  return is_refusal && error.remote.empty();
}

// The backend itself sent it, whatever it says.
bool is_backend_response(const Answer& answer) {
  if (is_inconclusive(answer)) return false;
  return !answer.samples.has_error() || !is_backend_failure(answer.samples.error().code);
}

// As long as the failing reads of the backend.
bool is_shown(std::optional<SteadyTime> at, SteadyTime now) {
  return at && now - *at < kFailureShown;
}

}  // namespace

BackendHealth::Change BackendHealth::observe(const Answer& answer, SteadyTime now) {
  if (is_inconclusive(answer)) return Change::none;
  last_query_at_ = now;
  if (is_backend_response(answer)) {
    last_response_at_ = now;
    if (std::exchange(is_unreachable_, false)) recovered_at_ = now;
    if (!std::exchange(is_down_, false)) return Change::none;
    last_downtime_ = std::chrono::duration_cast<Duration>(now - down_since_);
    return Change::up;
  }
  const Errc code = answer.samples.error().code;
  // One slow query beside others that get a response does not mean that the backend is down.
  if (code == Errc::timed_out && last_response_at_ >= answer.at) return Change::none;
  // Refused credentials show neither an outage nor its end.
  if (code == Errc::refused) {
    refused_at_ = now;
  } else {
    is_unreachable_ = true;
  }
  if (std::exchange(is_down_, true)) return Change::none;
  down_since_ = now;
  return Change::down;
}

std::optional<bool> BackendHealth::is_up(SteadyTime now) const {
  if (!is_shown(last_query_at_, now)) return std::nullopt;
  return !is_down_;
}

bool BackendHealth::was_refused(SteadyTime now) const { return is_shown(refused_at_, now); }

bool BackendHealth::note_file_problem(std::string problem) {
  if (problem == file_problem_) return false;
  file_problem_ = std::move(problem);
  return true;
}

std::optional<Duration> BackendHealth::time_since_recovery(
    const Answer& answer,
    std::optional<SteadyTime> connection_recovered_at,
    SteadyTime now) const {
  const bool has_just_recovered = is_unreachable_ && is_backend_response(answer);
  // The later of both; nullopt compares below every time.
  const auto recovered_at =
      std::max(has_just_recovered ? std::optional(now) : recovered_at_, connection_recovered_at);
  if (!recovered_at) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::max(now, *recovered_at) - *recovered_at);
}

}  // namespace weir::scalers::read
