// Exponential backoff with jitter: how long to wait before the next try. Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <algorithm>
#include <cmath>

namespace weir::server::cluster {

struct Backoff {
  Duration first;
  double factor;
  double jitter;  // a pause is up to this share longer
  Duration longest;

  // The pause after try number `tries` (from 0); `chance` is in [0, 1).
  [[nodiscard]] Duration pause(int tries, double chance) const {
    const double grown = static_cast<double>(first.count()) * std::pow(factor, std::min(tries, 64));
    const double capped = std::min(grown, static_cast<double>(longest.count()));
    return Duration{std::llround(capped * (1 + jitter * chance))};
  }
};

}  // namespace weir::server::cluster
