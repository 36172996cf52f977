// What a metric makes of an answer: the values that an HPA gets, or why it gets none. A read comes
// to one verdict for each (metric, answer); cache, fallback, telemetry and explain all take it from
// there. Pure: the time is an argument.
#pragma once

#include "scalers/error.hpp"
#include "scalers/read/answer.hpp"
#include "scalers/read/policies/policies.hpp"
#include "scalers/reading.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::scalers::read {

// What one policy did, for people: {Policy::clamp, "130 is above max, reported as 100"}.
struct PolicyStep {
  Policy policy;
  std::string text;
  bool is_change = false;  // the number after it is another one

  friend bool operator==(const PolicyStep&, const PolicyStep&) = default;
};
using PolicySteps = std::vector<PolicyStep>;

// One sample as the metric reports it. What a label selector filtered out is not among them.
struct JudgedSample {
  double value;  // finite, and small enough for an HPA
  WallTime taken_at;
  Labels labels = {};  // of the sample
  PolicySet changes;   // the policies that made another number of it
};

// Never an empty list. The error: Errc::settling, no_value, not_a_number, negative, out_of_range by
// the policies, or that of the answer.
using Verdict = Result<std::vector<JudgedSample>>;

// The verdict on the samples whose labels match `filter`, before any fallback: the policies apply
// in the order of Policy, and the first sample that is an error makes the whole an error. Appends
// to `steps`, unless it is null, a step for each policy that is set or had an effect.
[[nodiscard]] Verdict judge(const Policies& policies,
                            const Answer& answer,
                            std::span<const LabelRequirement> filter = {},
                            PolicySteps* steps = nullptr);

// True when the answer shows what the backend measured, so that it is kept for the metric's
// freshness: whether the policies turn it into a value or into an error. Other answers are errors
// that may be over a moment later.
[[nodiscard]] bool is_conclusive(const Policies& policies, const Answer& answer);

// `samples`, or Errc::stale when their data became too old while the query took `query_duration`.
[[nodiscard]] Result<Samples> expire_if_stale(Result<Samples> samples,
                                              SteadyTime::duration query_duration);

}  // namespace weir::scalers::read
