// Status in Kubernetes' protobuf form, byte for byte as Go's generated code writes it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::apiservice {

// A Status, given as the JSON that render() made.
[[nodiscard]] std::string protobuf_of_status(std::string_view json);

}  // namespace weir::apiservice
