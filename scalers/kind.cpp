// The defaults of a scaler without a diagnosis, and the text on `empty` that kinds share.
#include "scalers/kind.hpp"

#include <fmt/format.h>

namespace weir::scalers {

bool Scaler::can_diagnose(const Result<Samples>& /*reply*/) const { return false; }

awaitable<Diagnosis> Scaler::diagnose(Parameters /*parameters*/,
                                      Result<Samples> /*reply*/,
                                      Deadline /*deadline*/) {
  co_return Diagnosis{};
}

std::string empty_text(const ScalerKind& kind) {
  if (kind.empty_covers.empty())
    return fmt::format("empty has no effect for kind {}; use missing", kind.name);
  return fmt::format("empty covers {}; never a value that is absent, null or of another type",
                     kind.empty_covers);
}

}  // namespace weir::scalers
