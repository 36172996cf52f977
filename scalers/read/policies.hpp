// What a metric makes of what its backend said: an error unless the configuration says otherwise on
// purpose. In this order: settle, missing, empty, maxAge, nan, negative, clamp, zeroAtOrBelow, and
// fallback for whatever is an error then. Pure: the time is an argument.
#pragma once

#include "scalers/error.hpp"
#include "scalers/read/answer.hpp"
#include "scalers/settings/value_readers.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::read {

enum class NegativePolicy { error, zero, allow };

// The least and the most that is reported; nullopt: no such bound.
struct Clamp {
  std::optional<double> min;
  std::optional<double> max;
};

// What stands for errors. Both times count from the last good reading of the question; for one that
// never had any, `after` counts from its first failure. One of `hold` and `value` is set.
struct Fallback {
  Duration after{0};
  std::optional<Duration> hold = {};  // give the last good reading again until it is this old
  std::optional<double> value = {};   // report this
};

struct Policies {
  ErrorOrNumber empty = {};  // for Errc::no_value
  ErrorOrNumber nan = {};    // for NaN; an infinity is an error whatever this says
  NegativePolicy negative = NegativePolicy::error;
  Clamp clamp = {};
  std::optional<double> zero_at_or_below = {};
  std::optional<Fallback> fallback = {};
  Duration settle{0};  // how long a backend that came back is not believed
};

// What one policy did, for people: {"clamp", "130 is above max, reported as 100"}.
struct PolicyStep {
  std::string_view name;  // the policy's key in the configuration
  std::string text;
  bool is_change = false;  // the number is another one behind it

  friend bool operator==(const PolicyStep&, const PolicyStep&) = default;
};
using PolicySteps = std::vector<PolicyStep>;

// True when `answer` is one of the backend that this metric turns into a number, or judges to be a
// bad one: it holds for the metric's freshness. Other answers are errors of a moment.
[[nodiscard]] bool is_answer(const Policies& policies, const Answer& answer);

// The number that `answer` comes to before any fallback. Errc::settling, no_value, not_a_number,
// negative, out_of_range by the policies; other errors pass. Appends to `steps`, unless it is null,
// a step for each policy that is set or had a say.
[[nodiscard]] Result<double> apply(const Policies& policies,
                                   const Answer& answer,
                                   PolicySteps* steps = nullptr);

// `sample`, or Errc::stale when its data became too old while the query took `query_duration`.
[[nodiscard]] Result<Sample> expire_if_stale(Result<Sample> sample,
                                             SteadyTime::duration query_duration);

// The policies that made another number of what the backend said, in their order: none of an answer
// that comes to an error, or to the backend's own number.
[[nodiscard]] std::vector<std::string_view> changes(const Policies& policies, const Answer& answer);

// What is known of a question before its answer: its last good one, or, as long as there was none,
// its first failure.
struct History {
  const Answer* last_good = nullptr;
  std::optional<SteadyTime> first_failure = {};
};

// What an HPA gets instead of an error.
struct Substitute {
  double value;
  bool is_held;  // it is that of the last good reading, which it keeps the time of
};

// What the fallback reports at `now` instead of `failure`; nullopt: the error. Never for a question
// that is wrong itself (bad_request, unknown_metric).
[[nodiscard]] std::optional<Substitute> fall_back(const Policies& policies,
                                                  const Error& failure,
                                                  const History& history,
                                                  SteadyTime now,
                                                  PolicySteps* steps = nullptr);

}  // namespace weir::scalers::read

namespace weir::scalers {

template <>
struct EnumNames<read::NegativePolicy> {
  static constexpr std::string_view kTypeName = "error | zero | allow";
  static constexpr std::array<std::pair<std::string_view, read::NegativePolicy>, 3> kNames{{
      {"error", read::NegativePolicy::error},
      {"zero", read::NegativePolicy::zero},
      {"allow", read::NegativePolicy::allow},
  }};
};

}  // namespace weir::scalers
