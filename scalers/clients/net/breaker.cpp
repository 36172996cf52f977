// Time arrives as an argument, so that every state of the breaker is a table test.
#include "scalers/clients/net/breaker.hpp"

#include <algorithm>

namespace weir::scalers::clients {

std::optional<Error> Breaker::cached_failure(SteadyTime now) {
  if (!failure_) return std::nullopt;
  if (now < retry_at_) return failure_;
  retry_at_ = now + pause_;
  return std::nullopt;
}

void Breaker::note_failure(const Error& why, SteadyTime now) {
  const Duration next_pause = failure_ ? pause_ * 2 : pauses_.first;
  failure_ = why;
  // A query that gets the cached error has not waited, so it did not time out.
  if (why.code == Errc::timed_out) failure_->code = Errc::unreachable;
  // Clamped, because the previous pause may have been kRefusedPause.
  pause_ = is_refused() ? kRefusedPause : std::clamp(next_pause, pauses_.first, pauses_.longest);
  retry_at_ = now + pause_;
}

}  // namespace weir::scalers::clients
