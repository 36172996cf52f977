// What each policy of a metric made of a reply, in words, for `explain`. Pure; the numbers and the
// steps are of read/policies.
#pragma once

#include "scalers/explanation.hpp"
#include "scalers/read/answer.hpp"
#include "scalers/read/policies.hpp"

#include <vector>

namespace weir::scalers::read {

// One row for each policy that holds, in the order in which they are applied: `empty`, `nan` and
// `negative` always do, the others where they are set or had a say. `steps` are those of `answer`.
[[nodiscard]] std::vector<Explanation::Policy> effects_of(const Policies& policies,
                                                          const Answer& answer,
                                                          const PolicySteps& steps);

}  // namespace weir::scalers::read
