// The series of the connections of callers. Owned by Telemetry; loop thread only.
#pragma once

#include "server/connections/eviction.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>

namespace weir::server {

class ConnectionCounts {
 public:
  // `registry` outlives the counts.
  explicit ConnectionCounts(prometheus::Registry& registry);

  void evicted(Eviction why) { evicted_.at(static_cast<std::size_t>(why))->Increment(); }
  void set(std::size_t certified, std::size_t strangers, std::size_t limit);

 private:
  std::array<prometheus::Counter*, kEvictions> evicted_{};
  prometheus::Gauge& certified_;
  prometheus::Gauge& strangers_;
  prometheus::Gauge& limit_;
};

}  // namespace weir::server
