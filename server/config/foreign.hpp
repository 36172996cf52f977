// Recognizes a file that is for another program: an object of Kubernetes or KEDA, or a
// configuration of prometheus-adapter. Pure.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

namespace weir::server {

// True when the document is no configuration of Weir but something known; adds what it is and what
// to write instead. The problems of its keys would not help then.
[[nodiscard]] bool is_foreign(const scalers::Node& document, scalers::Problems& problems);

}  // namespace weir::server
