// Metric values as a Table (meta.k8s.io), which `kubectl get METRIC` prints. Pure.
#pragma once

#include "apiservice/meta/status.hpp"
#include "apiservice/request/http.hpp"
#include "scalers/reading.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace weir::apiservice {

struct TableOptions {
  // The object of a row beside its cells: its metadata, the whole item, or nothing.
  enum class Include : std::uint8_t { metadata, object, none };

  bool is_v1beta1 = false;  // else v1
  Include include = Include::metadata;
};

// How an item of the API group is written into a row.
struct TableItem {
  std::string_view kind;         // "ExternalMetricValue"
  std::string_view api_version;  // "external.metrics.k8s.io/v1beta1"
  // Appends the item's fields, without braces, kind and version.
  void (*append_fields)(std::string& out, std::string_view metric, const scalers::Reading& reading);
};

// 422 for an `includeObject` that Kubernetes does not define.
[[nodiscard]] std::variant<TableOptions::Include, Status> parse_include(const Request& request);

// Appends a Table with a row for each reading: name, labels, value and time; and a line end.
void append_value_table(std::string& out,
                        TableOptions options,
                        const TableItem& item,
                        std::string_view metric,
                        std::span<const scalers::Reading> readings);

}  // namespace weir::apiservice
