// Reads the parsed configuration, not the World, because the World does not expose the blocks of
// metrics.
#include "server/commands/doctor/config_facts.hpp"

#include "scalers/catalog.hpp"

#include <string_view>

namespace weir::server::doctor {
namespace {

using scalers::Node;

std::string text_of(const Node& block, std::string_view key) {
  const Node* value = block.find(key);
  return value == nullptr ? std::string() : value->text;
}

scalers::Measure measure_of(const Node& metric) {
  for (const Node::Field& field : metric.fields) {
    if (const scalers::ScalerKind* kind = scalers::find_kind(field.key))
      return kind->measure(field.value);
  }
  return scalers::Measure::unknown;
}

std::vector<std::string> namespaces_of(const Node& metric) {
  std::vector<std::string> out;
  const Node* namespaces = metric.find("namespaces");
  if (namespaces == nullptr) return out;
  for (const Node& item : namespaces->items) out.push_back(item.text);
  return out;
}

}  // namespace

std::vector<MeasuredMetric> measured_metrics(std::span<const Node> documents) {
  std::vector<MeasuredMetric> out;
  for (const Node& document : documents) {
    const Node* metrics = document.find("metrics");
    if (metrics == nullptr) continue;
    for (const Node& metric : metrics->items) {
      const scalers::Measure measure = measure_of(metric);
      if (measure == scalers::Measure::unknown) continue;
      out.push_back({text_of(metric, "name"), namespaces_of(metric), measure});
    }
  }
  return out;
}

}  // namespace weir::server::doctor
