// The signed assertion that a workload shows to a provider: a JWT in a file, mostly the projected
// token of its service account. Weir reads its times alone, to say what is wrong with them.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <string>
#include <string_view>

namespace weir::scalers::clients {

// Whether a token begins with the scheme that is sent in front of it: "Bearer x".
[[nodiscard]] bool has_scheme(std::string_view token);

// "3 h ago", or a time that stays the same for a log of changes.
enum class TimeForm { relative, absolute };

// "the assertion expired 3 h ago; ..." at `now`, that it was issued in the future, because the
// clock is wrong, or that it begins with its scheme. Empty: its times are right, or it is not a JWT
// with times.
[[nodiscard]] std::string assertion_problem(std::string_view assertion,
                                            WallTime now,
                                            TimeForm form = TimeForm::relative);
// The same, or that it is not a JWT: of one that is sent as a JWT whatever it is.
[[nodiscard]] std::string jwt_problem(std::string_view assertion,
                                      WallTime now,
                                      TimeForm form = TimeForm::relative);

// What is wrong with the content of a file of LocalFile::Kind::token or assertion, with its path,
// for the log; empty: nothing is known.
[[nodiscard]] std::string token_file_problem(const LocalFile& file, WallTime now);

// Adds the file of `setting`, {file: PATH}, and what is wrong with the JWT in it. A file that
// cannot be read has been reported.
void check_assertion_file(const Node& setting, Problems& problems);

}  // namespace weir::scalers::clients
