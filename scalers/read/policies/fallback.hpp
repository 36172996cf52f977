// What a metric reports in place of an error: the last good value, for a while, or a number. Keeps
// what that needs of each query. Loop thread only; fall_back() is pure.
#pragma once

#include "scalers/error.hpp"
#include "scalers/lru.hpp"
#include "scalers/read/answer.hpp"
#include "scalers/read/policies/policies.hpp"
#include "scalers/read/policies/verdict.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::scalers::read {

// What is known of a query: its last good answer, or, as long as there was none, its first failure.
struct History {
  AnswerPtr last_good = nullptr;
  std::optional<SteadyTime> first_failure = {};
};

// Of metrics with a fallback alone. Two metrics may send the same query and judge its answers
// differently, so each has a history of its own: the keys name the metric too.
class FallbackHistory {
 public:
  // As many as QueryCache keeps, and of one namespace.
  FallbackHistory();

  // Notes the answer to a read of the query. `is_good`: its verdict is a value. An answer that is
  // older than the last good one is ignored.
  void note(const std::string& key,
            const std::string& name_space,
            const AnswerPtr& answer,
            bool is_good);
  [[nodiscard]] History find(const std::string& key);

 private:
  Lru<History> histories_;
};

// What an HPA gets instead of an error.
struct Substitute {
  std::vector<JudgedSample> values;  // never empty
  bool is_held;                      // they are those of the last good answer, with its time
};

// What the fallback reports at `now` instead of `failure`; nullopt: the error. Never when the
// request itself is wrong (bad_request, unknown_metric). `wall_now` is the time of a fixed value,
// `filter` as judge() takes it.
[[nodiscard]] std::optional<Substitute> fall_back(const Policies& policies,
                                                  const Error& failure,
                                                  const History& history,
                                                  SteadyTime now,
                                                  WallTime wall_now,
                                                  std::span<const LabelRequirement> filter = {},
                                                  PolicySteps* steps = nullptr);

}  // namespace weir::scalers::read
