// The counts of requests under the names that Kubernetes' API servers give them. Part of Telemetry;
// loop thread only.
#pragma once

#include "scalers/read/metric_index.hpp"
#include "server/telemetry/request_labels.hpp"
#include "server/telemetry/text.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

class RequestCounts {
 public:
  // `registry` outlives the counts.
  explicit RequestCounts(prometheus::Registry& registry);

  // The rows, by place; called once, before the first request.
  void set_endpoints(EndpointTable table);
  [[nodiscard]] const EndpointTable& endpoints() const { return table_; }
  // Only the names of `index` become labels. The series of names that are gone end.
  void set_metrics(std::shared_ptr<const scalers::MetricIndex> index);
  [[nodiscard]] prometheus::Gauge& in_flight(Verb verb);
  void done(const RequestLabels& labels, int status, std::chrono::duration<double> took);
  void tls_handshake_failed() { tls_failures_.Increment(); }
  // Appends the series that the registry does not hold.
  void append_to(std::string& out) const;

 private:
  // Few a metric: it is read and explained, each by one verb, and answered with a few codes.
  struct Cell {
    std::uint64_t total;
    EndpointId endpoint;
    Verb verb;
    int status;
  };
  using Cells = std::vector<Cell>;

  [[nodiscard]] Cells& cells_of(scalers::MetricId id) {
    return metrics_[static_cast<std::size_t>(id)];
  }
  static void count(Cells& cells, const RequestLabels& labels, int status);
  void append_cells(FamilyText& totals, const Cells& cells, std::string_view resource) const;
  void observe(const RequestLabels& labels, double seconds);

  prometheus::Family<prometheus::Histogram>& durations_;
  prometheus::Gauge& reading_;
  prometheus::Gauge& mutating_;
  prometheus::Counter& tls_failures_;
  EndpointTable table_;
  std::vector<Cells> endpoints_;  // of requests that name no metric
  std::vector<std::array<prometheus::Histogram*, kVerbs>> histograms_;  // by endpoint
  std::shared_ptr<const scalers::MetricIndex> index_;  // second owners: the reader, the reads
  std::vector<Cells> metrics_;  // by MetricId: of the first metric of each name
};

}  // namespace weir::server
