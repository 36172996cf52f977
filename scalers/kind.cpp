// The defaults of a scaler without a diagnosis.
#include "scalers/kind.hpp"

namespace weir::scalers {

bool Scaler::can_diagnose(const Result<Samples>& /*reply*/) const { return false; }

awaitable<Diagnosis> Scaler::diagnose(Parameters /*parameters*/,
                                      Result<Samples> /*reply*/,
                                      Deadline /*deadline*/) {
  co_return Diagnosis{};
}

}  // namespace weir::scalers
