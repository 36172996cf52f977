// The series of the backends themselves: whether they respond, how full they are, and what happened
// to their connections. Part of Telemetry; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/read/world.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <vector>

namespace weir::server {

class BackendSeries {
 public:
  // `registry` outlives the series.
  explicit BackendSeries(prometheus::Registry& registry);

  // Shows `states` at `now`, and no other backend. What no query has shown for a minute has no
  // series: whether the backend responds, and whether it accepts the credentials.
  void refresh(const std::vector<scalers::BackendState>& states, SteadyTime now);

 private:
  using Counters = std::map<std::string, prometheus::Counter*, std::less<>>;  // by reason
  struct Series {
    prometheus::Gauge* in_flight;
    prometheus::Gauge* waiting;
    prometheus::Gauge* is_breaker_open;
    prometheus::Gauge* is_unusable;
    prometheus::Counter* opened;
    prometheus::Gauge* is_up = nullptr;       // null: unknown
    prometheus::Gauge* is_refused = nullptr;  // null: unknown
    prometheus::Gauge* token_end = nullptr;   // null: no token
    Counters closed = {};
    Counters failed = {};
  };

  [[nodiscard]] Series make(const std::string& backend);
  void end(const Series& series);

  prometheus::Family<prometheus::Gauge>& up_;
  prometheus::Family<prometheus::Gauge>& in_flight_;
  prometheus::Family<prometheus::Gauge>& waiting_;
  prometheus::Family<prometheus::Gauge>& breakers_;
  prometheus::Family<prometheus::Gauge>& refused_;
  prometheus::Family<prometheus::Gauge>& token_ends_;
  prometheus::Family<prometheus::Gauge>& unusable_;
  prometheus::Family<prometheus::Counter>& opened_;
  prometheus::Family<prometheus::Counter>& closed_;
  prometheus::Family<prometheus::Counter>& failed_;
  std::map<std::string, Series> backends_;
};

}  // namespace weir::server
