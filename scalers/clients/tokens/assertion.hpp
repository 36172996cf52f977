// The signed assertion that a workload shows to a provider: a JWT in a file, mostly the projected
// token of its service account. Weir reads its times alone, to say what is wrong with them.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <string>
#include <string_view>

namespace weir::scalers::clients {

// "the assertion expired 3 h ago; ..." at `now`, or that it was issued in the future, because the
// clock is wrong. Empty: its times are right, or it is not a JWT with times.
[[nodiscard]] std::string assertion_problem(std::string_view assertion, WallTime now);

// Adds what is wrong with the assertion in the file of `setting`, {file: PATH}. A file that cannot
// be read has been reported.
void check_assertion_file(const Node& setting, Problems& problems);

}  // namespace weir::scalers::clients
