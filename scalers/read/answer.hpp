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
  // From the end of the backend's last outage to this answer; nullopt: no outage so far.
  std::optional<Duration> time_since_recovery = {};
};

}  // namespace weir::scalers::read
