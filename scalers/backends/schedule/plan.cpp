// Each question is answered by searching the times of the windows around it.
#include "scalers/backends/schedule/plan.hpp"

#include <algorithm>

namespace weir::scalers::backends::schedule {
namespace {

// Windows may begin and end without a change of the value.
constexpr int kMaxTimes = 500;

std::optional<LocalMinute> next_time(const Plan& plan, LocalMinute now) {
  std::optional<LocalMinute> out;
  for (const Window& window : plan.windows) {
    for (const Cron* cron : {&window.from, &window.to}) {
      const auto next = cron->next_after(now);
      if (next && (!out || *next < *out)) out = next;
    }
  }
  return out;
}

}  // namespace

bool Window::is_open(LocalMinute now) const {
  const auto begun = from.last_until(now);
  if (!begun) return false;
  const auto ended = to.last_until(now);
  return !ended || *ended <= *begun;
}

State state_at(const Plan& plan, LocalMinute now) {
  State out{plan.otherwise, nullptr};
  for (const Window& window : plan.windows) {
    if (out.window != nullptr && window.value <= out.value) continue;
    if (window.is_open(now)) out = {window.value, &window};
  }
  return out;
}

std::optional<Change> next_change(const Plan& plan, LocalMinute now) {
  const State current = state_at(plan, now);
  for (int i = 0; i < kMaxTimes; ++i) {
    const auto next = next_time(plan, now);
    if (!next) return std::nullopt;
    now = *next;
    const State then = state_at(plan, now);
    if (then.value != current.value) return Change{now, then};
  }
  return std::nullopt;
}

}  // namespace weir::scalers::backends::schedule
