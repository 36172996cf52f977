// The query parameters of a list (metav1.ListOptions), as Kubernetes reads and judges them. Pure.
#pragma once

#include "apiservice/meta/status.hpp"
#include "apiservice/request/http.hpp"
#include "scalers/reading.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::apiservice {

// What a metric read takes of them. limit and continue change nothing: there is one page.
struct ListOptions {
  std::vector<scalers::LabelRequirement> labels;
};

// 400 for a number, a label selector or a field selector that is none, 422 for options that do not
// go together; in Kubernetes' order and words. Of a repeated parameter the first value counts,
// unknown ones do not.
[[nodiscard]] std::variant<ListOptions, Status> parse_list_options(const Request& request);

// Kubernetes takes every value but "0" and "false" (any case) for true, an empty one too.
[[nodiscard]] bool is_true(const Request& request, std::string_view name);

// The name that the field selector insists on (`metadata.name=NAME`), by which a list is
// authorized. nullopt when there is none, it is no name, or the options are not readable.
[[nodiscard]] std::optional<std::string> selected_name(const Request& request);

}  // namespace weir::apiservice
