// The policies' keys in a metric's entry: the table that reads and documents them, and the checks
// of their combinations.
#pragma once

#include "scalers/read/policies/policies.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"

#include <array>

namespace weir::scalers::read {

// Found by their argument's namespace; the blocks {min, max} and {after, hold | value}.
void read_value(const Node& node, Clamp& out, Problems& problems);
void read_value(const Node& node, Fallback& out, Problems& problems);

// `entry` is the metric's whole entry, `policies` what was read of it.
void check_policies(const Node& entry, const Policies& policies, Problems& problems);

inline constexpr std::array kPolicyTable{
    setting<&Policies::empty>(
        "empty",
        "what to report when there is nothing to measure, such as no series (each kind says what "
        "that is); never in place of a value that is absent, null or of another type"),
    setting<&Policies::nan>("nan", "what to report when the value is NaN"),
    setting<&Policies::negative>("negative", "what to do with a value below zero"),
    setting<&Policies::clamp>("clamp",
                              "{min: NUMBER, max: NUMBER}, or one of them: a value outside is "
                              "reported as the bound"),
    setting<&Policies::zero_at_or_below>("zeroAtOrBelow",
                                         "report 0 at or below this number, to scale to zero with "
                                         "work left over; counts after clamp"),
    setting<&Policies::fallback>(
        "fallback",
        "What to report instead of an error. {after: 45s, hold: 2m}: once the last good value is "
        "45s old, keep reporting it until it is 2m old. {after: 45s, value: NUMBER}: report the "
        "number instead, for as long as errors last. Each replica counts for itself, per query; "
        "without a good value since the start or a reload, from the first failure."),
    setting<&Policies::settle>(
        "settle",
        "How long to keep reporting errors after an outage of the backend ends (a lost connection, "
        "or a query that could not reach it or got no response). A broker that has just restarted "
        "may show empty queues."),
};

}  // namespace weir::scalers::read
