// The query parameters of a list (metav1.ListOptions), as Kubernetes decodes and validates them.
// Pure.
#pragma once

#include "apiservice/meta/status.hpp"
#include "apiservice/request/http.hpp"
#include "scalers/reading.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::apiservice {

// The options that a metric read uses. limit and continue have no effect, because there is one
// page.
struct ListOptions {
  std::vector<scalers::LabelRequirement> labels;
};

// 400 for an invalid number, label selector or field selector, 422 for options that exclude each
// other, with Kubernetes' texts and in its order. The first value of a repeated parameter is used;
// unknown parameters are ignored.
[[nodiscard]] std::variant<ListOptions, Status> parse_list_options(const Request& request);

// In Kubernetes every value except "0" and "false" (any case) is true, including the empty one.
[[nodiscard]] bool is_true(const Request& request, std::string_view name);

// The name that the field selector requires (`metadata.name=NAME`), by which a list is authorized.
// nullopt when there is none, it is not a valid name, or the options are invalid.
[[nodiscard]] std::optional<std::string> selected_name(const Request& request);

}  // namespace weir::apiservice
