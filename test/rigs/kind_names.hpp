// The kinds of the catalog as messages list them, so that no test has a list of its own.
#pragma once

#include "scalers/catalog.hpp"

#include <string>

namespace weir::test {

inline std::string kind_names() {
  std::string out;
  for (const scalers::ScalerKind& kind : scalers::catalog())
    out.append(out.empty() ? "" : ", ").append(kind.name);
  return out;
}

}  // namespace weir::test
