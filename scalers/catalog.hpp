// Every kind of scaler that this binary knows, in the order of catalog.def.
#pragma once

#include "scalers/kind.hpp"

#include <span>
#include <string_view>

namespace weir::scalers {

[[nodiscard]] std::span<const ScalerKind> catalog();

// The kind of that name; nullptr when there is none.
[[nodiscard]] const ScalerKind* find_kind(std::string_view name);

}  // namespace weir::scalers
