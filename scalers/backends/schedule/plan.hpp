// What a schedule says: its windows and their values, at a time and from when on. Pure.
#pragma once

#include "scalers/backends/schedule/cron.hpp"
#include "scalers/backends/schedule/time_zone.hpp"

#include <optional>
#include <string>
#include <vector>

namespace weir::scalers::backends::schedule {

// From each time of `from` until the next time of `to`. Where both are the same minute, it begins.
struct Window {
  Cron from;
  Cron to;
  double value;
  std::string text;  // as the configuration has it, for people

  [[nodiscard]] bool is_open(LocalMinute now) const;
};

struct Plan {
  std::vector<Window> windows;
  double otherwise = 0;
};

struct State {
  double value;
  const Window* window;  // that has the value, the first one of equals; null: none is open

  friend bool operator==(const State&, const State&) = default;
};

// The largest value of the windows that are open, or `otherwise` while none is.
[[nodiscard]] State state_at(const Plan& plan, LocalMinute now);

struct Change {
  LocalMinute at;
  std::optional<State> then;  // nullopt: the value is the same until `at`, where the search ends
};

// When the value becomes another one in `zone`, after `now`; nullopt when no window begins or ends
// any more. A time that a change of the clocks skips counts together with the others of that
// moment.
[[nodiscard]] std::optional<Change> next_change(const Plan& plan,
                                                const TimeZone& zone,
                                                LocalMinute now);

}  // namespace weir::scalers::backends::schedule
