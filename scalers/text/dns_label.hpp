// The names that Kubernetes gives to namespaces. Pure.
#pragma once

#include <string_view>

namespace weir::scalers {

// Whether `text` is a DNS label of RFC 1123: 1 to 63 lower-case letters, digits and -, without a -
// at either end.
[[nodiscard]] bool is_dns_label(std::string_view text);

}  // namespace weir::scalers
