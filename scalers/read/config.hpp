// Reads the documents of a configuration into the reader's parts, collecting every problem. One
// object a build.
#pragma once

#include "scalers/kind.hpp"
#include "scalers/read/metric.hpp"
#include "scalers/read/world.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <memory>
#include <span>
#include <vector>

namespace weir::scalers::read {

// The labels that a metric's entry declares under `labels`.
[[nodiscard]] std::vector<DeclaredLabel> read_labels(const Node& node, Problems& problems);

class Builder {
 public:
  Builder(const Context& context, Problems& problems) : context_(context), problems_(problems) {}

  void add_backends(const Node& section);
  void add_metrics(const Node& section);
  // The document of a file that is not in use, because it has problems: reads of what it names are
  // errors. After the backends of all other documents.
  void add_skipped(const Node& document);
  // Its metrics, after those of all other documents.
  void add_skipped_metrics();
  void check_names();

  std::vector<std::unique_ptr<ConfiguredBackend>> take_backends() { return std::move(backends_); }
  std::vector<Metric> take_metrics() { return std::move(metrics_); }
  [[nodiscard]] std::vector<MetricInfo> infos() const;

 private:
  void make_backend(const ScalerKind& kind, const Node& block, ConfiguredBackend& out);
  void add_metric(const Node& node);
  [[nodiscard]] Metric read_common(const Node& node);
  void check_metric_name(const Node& name);
  void check_namespaces(const Node& list, Metric& metric);
  ConfiguredBackend* find_backend(const Node& block, const ScalerKind& kind);
  // Of all metrics of a kind without backends; null, with a problem, where its name is in use.
  ConfiguredBackend* common_backend(const Node& metric, const ScalerKind& kind);

  const Context context_;
  Problems& problems_;
  std::vector<std::unique_ptr<ConfiguredBackend>> backends_;
  std::vector<Metric> metrics_;
  std::vector<Metric> skipped_;
  ConfiguredBackend* nameless_ = nullptr;  // of all skipped metrics
};

}  // namespace weir::scalers::read
