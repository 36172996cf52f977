#include "scalers/clients/net/breaker.hpp"

#include <algorithm>

namespace weir::scalers::clients {

std::optional<Error> Breaker::stand_in(SteadyTime now) {
  if (!failure_) return std::nullopt;
  if (now < retry_at_) return failure_;
  retry_at_ = now + pause_;
  return std::nullopt;
}

void Breaker::note_failure(const Error& why, SteadyTime now) {
  const Duration grown = failure_ ? pause_ * 2 : pauses_.first;
  failure_ = why;
  // Whoever gets it later has not waited for anything.
  if (why.code == Errc::timed_out) failure_->code = Errc::unreachable;
  pause_ = is_refused() ? kRefusedPause : std::clamp(grown, pauses_.first, pauses_.longest);
  retry_at_ = now + pause_;
}

}  // namespace weir::scalers::clients
