// What one query to a backend brought: raw, as the cache keeps it and the policies judge it.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/kind.hpp"

#include <memory>
#include <optional>

namespace weir::scalers::read {

struct Answer {
  Result<Samples> samples;
  SteadyTime at;        // when the backend was queried
  WallTime queried_at;  // the same by the wall clock
  SteadyTime retry_at;  // for an error: when the backend may be queried again
  Duration budget;      // how long the backend was given
  // From the end of the backend's last outage to this answer; nullopt: no outage so far.
  std::optional<Duration> time_since_recovery = {};
};

// Owners: the query cache, the fallback history, and the reads that were given it.
using AnswerPtr = std::shared_ptr<const Answer>;

}  // namespace weir::scalers::read
