// What a refusal says in words, whatever its form. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::scalers::backends::prometheus {

// The words of an error response: of JSON the members that Prometheus, AWS, Google, Azure,
// Kubernetes and gateways use (`error`, `message`, ...), of a page its title, else the text itself.
// Neither bounded nor redacted. Empty: there are none, or the response has a result.
[[nodiscard]] std::string refusal_words(std::string_view body);

}  // namespace weir::scalers::backends::prometheus
