// The last answer to each distinct query, partitioned by the namespace of the caller: a namespace
// with a million queries loses its own answers alone. A query of several namespaces stays with the
// first. Raw: freshness and policies are applied at each read. Loop thread only.
#pragma once

#include "scalers/lru.hpp"
#include "scalers/read/answer.hpp"

namespace weir::scalers::read {

using Cache = Lru<Answer>;

}  // namespace weir::scalers::read
