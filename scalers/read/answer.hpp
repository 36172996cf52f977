// What one question to a backend brought: raw, as the cache keeps it and the policies judge it.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/kind.hpp"

#include <optional>

namespace weir::scalers::read {

struct Answer {
  Result<Sample> sample;
  SteadyTime at;        // when the backend was asked
  WallTime asked_at;    // the same by the wall clock
  SteadyTime retry_at;  // for an error: when the backend may be asked again
  Duration budget;      // how long the backend was given
  // How long the backend had been back when it answered; nullopt: it has not been away.
  std::optional<Duration> back_for = {};
};

}  // namespace weir::scalers::read
