// The values of external.metrics.k8s.io in JSON and in protobuf, written by hand: a read is the hot
// path, and a document tree would cost more than the rest of the read. Pure.
#pragma once

#include "scalers/reading.hpp"

#include <span>
#include <string>
#include <string_view>

namespace weir::apiservice {

inline constexpr std::string_view kExternalGroup = "external.metrics.k8s.io";
inline constexpr std::string_view kExternalVersion = "v1beta1";
inline constexpr std::string_view kExternalValueKind = "ExternalMetricValue";
// The resource of that kind: the only one that is not a metric. No metric may have this name.
inline constexpr std::string_view kExternalItems = "externalmetrics";

// Appends an ExternalMetricValueList with an item for each reading, and a line end.
void append_value_list(std::string& out,
                       std::string_view metric,
                       std::span<const scalers::Reading> readings);

// The same in Kubernetes' protobuf form, byte for byte as Go's generated code writes it.
void append_value_list_protobuf(std::string& out,
                                std::string_view metric,
                                std::span<const scalers::Reading> readings);

// Appends the fields of one ExternalMetricValue, without braces.
void append_value_fields(std::string& out,
                         std::string_view metric,
                         const scalers::Reading& reading);

}  // namespace weir::apiservice
