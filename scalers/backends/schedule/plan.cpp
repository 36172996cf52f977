// Each question is answered by searching the times of the windows around it.
#include "scalers/backends/schedule/plan.hpp"

namespace weir::scalers::backends::schedule {
namespace {

// Windows may begin and end without a change of the value.
constexpr int kMaxTimes = 500;

// When a window may begin, or end if it is open.
struct Upcoming {
  const Window* window;
  std::optional<LocalMinute> at;
};

std::optional<LocalMinute> next_of(const Window& window, LocalMinute now) {
  return (window.is_open(now) ? window.to : window.from).next_after(now);
}

// While a window is open, those with a smaller value cannot change the value.
std::optional<LocalMinute> next_time(std::vector<Upcoming>& upcoming,
                                     const State& state,
                                     LocalMinute now) {
  std::optional<LocalMinute> out;
  for (Upcoming& one : upcoming) {
    if (state.window != nullptr && one.window->value < state.value) continue;
    if (one.at && *one.at <= now) one.at = next_of(*one.window, now);
    if (one.at && (!out || *one.at < *out)) out = one.at;
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

std::optional<Change> next_change(const Plan& plan, const TimeZone& zone, LocalMinute now) {
  State state = state_at(plan, now);
  const double value = state.value;
  std::vector<Upcoming> upcoming;
  for (const Window& window : plan.windows) upcoming.push_back({&window, next_of(window, now)});
  for (int i = 0; i < kMaxTimes; ++i) {
    const auto next = next_time(upcoming, state, now);
    if (!next) return std::nullopt;
    // Later than `next` when the clocks are turned forward over it.
    now = zone.reached_at(zone.instant_of(*next));
    state = state_at(plan, now);
    if (state.value != value) return Change{now, state};
  }
  return Change{now, std::nullopt};
}

}  // namespace weir::scalers::backends::schedule
