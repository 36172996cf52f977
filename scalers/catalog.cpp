// The registry from catalog.def: the only file that names every kind, so that a new one is a line.
#include "scalers/catalog.hpp"

#include <algorithm>
#include <array>

namespace weir::scalers {

#define WEIR_SCALER(kind)     \
  namespace backends::kind {  \
  ScalerKind describe_kind(); \
  }
#include "scalers/catalog.def"
#undef WEIR_SCALER

std::span<const ScalerKind> catalog() {
#define WEIR_SCALER(kind) backends::kind::describe_kind(),
  // Made by the first call, so that no kind depends on the order of static initialization.
  static const std::array kKinds{
#include "scalers/catalog.def"
  };
#undef WEIR_SCALER
  return kKinds;
}

const ScalerKind* find_kind(std::string_view name) {
  const auto kinds = catalog();
  const auto found = std::ranges::find(kinds, name, &ScalerKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace weir::scalers
