// Labels for people, in messages and on a terminal. Pure.
#pragma once

#include "scalers/reading.hpp"

#include <string>

namespace weir::scalers {

// "{queue=mail, shard=1}".
[[nodiscard]] std::string labels_text(const Labels& labels);

}  // namespace weir::scalers
