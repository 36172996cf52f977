// The time by which an answer must be given, stamped once a request and handed down to everything
// it waits for. Monotonic: a jump of the wall clock changes nothing.
#pragma once

#include <algorithm>
#include <chrono>

namespace weir {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using Duration = std::chrono::milliseconds;

// Where the program reads the time: tests hand in their own.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime steady() const { return std::chrono::steady_clock::now(); }
  [[nodiscard]] virtual WallTime wall() const { return std::chrono::system_clock::now(); }
};

struct Deadline {
  SteadyTime started;  // when the request came in
  SteadyTime at;       // when its answer is due

  [[nodiscard]] static Deadline after(SteadyTime now, Duration budget) {
    return {now, now + budget};
  }

  // The same request with at most `budget` from its start.
  [[nodiscard]] Deadline capped(Duration budget) const {
    return {started, std::min(at, started + budget)};
  }
  // What is left at `now`; never negative.
  [[nodiscard]] Duration left(SteadyTime now) const {
    return std::max(Duration{0}, std::chrono::duration_cast<Duration>(at - now));
  }
  [[nodiscard]] bool is_past(SteadyTime now) const { return now >= at; }
};

}  // namespace weir
