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
  // What stands beside the cells of a row: its metadata, the whole item, or nothing.
  enum class Include : std::uint8_t { metadata, object, none };

  bool is_v1beta1 = false;  // else v1
  Include include = Include::metadata;
};

// 422 for an `includeObject` that Kubernetes does not know.
[[nodiscard]] std::variant<TableOptions::Include, Status> parse_include(const Request& request);

// Appends a Table with a row for each reading: name, labels, value and time; and a line end.
void append_value_table(std::string& out,
                        TableOptions options,
                        std::string_view metric,
                        std::span<const scalers::Reading> readings);

}  // namespace weir::apiservice
