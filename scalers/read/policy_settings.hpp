// The policies' keys in a metric's entry: the table that reads them and prints itself, and the
// checks of what goes together.
#pragma once

#include "scalers/read/policies.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <array>

namespace weir::scalers::read {

// Found by their argument's namespace; the blocks {min, max} and {after, hold | value}.
void read_value(const Node& node, Clamp& out, Problems& problems);
void read_value(const Node& node, Fallback& out, Problems& problems);

// `entry` is the metric's whole entry, `policies` what was read of it.
void check_policies(const Node& entry, const Policies& policies, Problems& problems);

inline constexpr std::array kPolicyTable{
    setting<&Policies::empty>("empty", "error", "what to report when the backend has no value"),
    setting<&Policies::nan>("nan", "error", "what to report when the value is NaN"),
    setting<&Policies::negative>("negative", "error", "what to do with a value below zero"),
    setting<&Policies::clamp>("clamp",
                              "",
                              "{min: NUMBER, max: NUMBER}, or one of them: a value outside is "
                              "reported as the bound"),
    setting<&Policies::zero_at_or_below>("zeroAtOrBelow",
                                         "",
                                         "report 0 at or below this number, to scale to zero with "
                                         "work left over; counts after clamp"),
    setting<&Policies::fallback>(
        "fallback",
        "",
        "{after: 45s, hold: 2m}: from 45s after the last good reading on it is given again in "
        "place of an error, until it is 2m old; {after: 45s, value: NUMBER}: the number is given, "
        "for as long as it takes; times count for each question and replica, and from its first "
        "failure where it has had no good reading since the start or a reload"),
    setting<&Policies::settle>(
        "settle",
        "",
        "for how long answers are errors once the backend is back, after a connection to it was "
        "lost or a question could not reach it or got no answer: a broker may show empty queues "
        "behind a restart"),
};

}  // namespace weir::scalers::read
