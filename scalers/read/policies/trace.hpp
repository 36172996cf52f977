// How judge() and fall_back() note what each policy did, for explain. Costs nothing for a read,
// which asks for no steps: the text is formatted only when somebody wants it.
#pragma once

#include "scalers/read/policies/verdict.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>

namespace weir::scalers::read {

class PolicyTrace {
 public:
  explicit PolicyTrace(PolicySteps* steps) : steps_(steps) {}

  template <class... Values>
  void add(Policy policy, fmt::format_string<Values...> text, Values&&... values) {
    if (steps_ == nullptr) return;
    steps_->push_back({policy, fmt::format(text, std::forward<Values>(values)...)});
  }
  // The policy made another number of it.
  template <class... Values>
  void change(Policy policy, fmt::format_string<Values...> text, Values&&... values) {
    changes_.set(static_cast<std::size_t>(policy));
    if (steps_ == nullptr) return;
    steps_->push_back({policy, fmt::format(text, std::forward<Values>(values)...), true});
  }
  [[nodiscard]] PolicySet changes() const { return changes_; }

 private:
  PolicySteps* steps_;
  PolicySet changes_;
};

[[nodiscard]] inline std::string seconds_text(SteadyTime::duration span) {
  return fmt::format("{:.4g} s", std::chrono::duration<double>(span).count());
}

}  // namespace weir::scalers::read
