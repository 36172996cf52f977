// The counts of requests under the names that Kubernetes' API servers give them. Part of Telemetry;
// loop thread only.
#pragma once

#include "server/request_labels.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {

class RequestCounts {
 public:
  // `registry` outlives the counts.
  explicit RequestCounts(prometheus::Registry& registry);

  // The only metric names that become labels. The series of names that are gone end.
  void set_metrics(const std::set<std::string>& names);
  [[nodiscard]] prometheus::Gauge& in_flight(Verb verb);
  void done(const RequestLabels& labels, int status, std::chrono::duration<double> took);
  void tls_handshake_failed() { tls_failures_.Increment(); }

 private:
  // References into the families: a look-up there by labels costs more than the rest of a count.
  // Few: a metric is asked by one verb, and answered with a few codes.
  struct Cell {
    Verb verb;
    int status;
    prometheus::Counter* total;
  };
  using Cells = std::vector<Cell>;

  void count(Cells& cells, const RequestLabels& labels, std::string_view resource, int status);
  void observe(const RequestLabels& labels, double seconds);
  void end(const Cells& cells);

  prometheus::Family<prometheus::Counter>& totals_;
  prometheus::Family<prometheus::Histogram>& durations_;
  prometheus::Gauge& reading_;
  prometheus::Gauge& mutating_;
  prometheus::Counter& tls_failures_;
  std::vector<Cells> endpoints_;
  std::vector<std::array<prometheus::Histogram*, kVerbs>> histograms_;  // by endpoint
  std::map<std::string, Cells, std::less<>> metrics_;
};

}  // namespace weir::server
