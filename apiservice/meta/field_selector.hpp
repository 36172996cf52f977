// The text of a Kubernetes field selector (query parameter fieldSelector) -> requirements. Pure.
#pragma once

#include "scalers/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

struct FieldRequirement {
  std::string field;
  std::string value;
  bool is_equal;  // false: !=

  friend bool operator==(const FieldRequirement&, const FieldRequirement&) = default;
};

// The requirements of `text`, percent-decoded: FIELD (= | == | !=) VALUE, ... with `\\`, `\,` and
// `\=` in values; in the order of the sorted terms, as in Kubernetes. Errc::bad_request with its
// error text.
[[nodiscard]] scalers::Result<std::vector<FieldRequirement>> parse_field_selector(
    std::string_view text);

// Errc::bad_request for a field other than metadata.name and metadata.namespace, which alone every
// resource has.
[[nodiscard]] scalers::Result<void> check_fields(const std::vector<FieldRequirement>& requirements);

}  // namespace weir::apiservice
