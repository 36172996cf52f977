// What each policy of a metric did to an answer, for `explain`. Pure; the steps are those of
// judge() and fall_back().
#pragma once

#include "scalers/explanation.hpp"
#include "scalers/read/answer.hpp"
#include "scalers/read/policies/policies.hpp"
#include "scalers/read/policies/verdict.hpp"

#include <vector>

namespace weir::scalers::read {

// One row for each policy in force, in the order in which they are applied: `empty`, `nan` and
// `negative` always are, the others where they are set or had an effect.
[[nodiscard]] std::vector<Explanation::Policy> effects_of(const Policies& policies,
                                                          const Answer& answer,
                                                          const PolicySteps& steps);

}  // namespace weir::scalers::read
