#include "scalers/kind.hpp"

namespace weir::scalers {

bool Scaler::has_diagnosis_of(const Result<Sample>& /*reply*/) const { return false; }

awaitable<Diagnosis> Scaler::diagnose(Labels /*parameters*/,
                                      Result<Sample> /*reply*/,
                                      Deadline /*deadline*/) {
  co_return Diagnosis{};
}

}  // namespace weir::scalers
