// Rate-limits equal log lines: counts those that repeat a line of the last 10 s. Pure; owned by the
// log.
#pragma once

#include "scalers/deadline.hpp"
#include "server/logging/log.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

class LogRepeats {
 public:
  // For how long repeats of a line are counted instead of written.
  static constexpr Duration kSpan{10'000};
  // Different lines that are counted apart. Beyond this number all lines of one event and level are
  // counted as one, without fields, so that the memory is bounded.
  static constexpr std::size_t kMaxEntries = 256;

  struct Line {
    Level level;
    std::string event;
    std::vector<Field> fields;
    std::uint64_t repeats;  // lines that were counted instead of written
  };

  // Whether the line is to be written. False when the line, or beyond kMaxEntries its event, was
  // written within kSpan; the line is counted then.
  [[nodiscard]] bool admit(Level level,
                           std::string_view event,
                           std::span<const Field> fields,
                           SteadyTime now);
  // Removes and returns the lines with repeats whose span is over.
  [[nodiscard]] std::vector<Line> take_due(SteadyTime now);
  // Removes and returns all lines with repeats.
  [[nodiscard]] std::vector<Line> take_all();

 private:
  struct Entry {
    Line line;
    SteadyTime until;
  };
  std::map<std::string, Entry, std::less<>> entries_;  // by the line's text
  SteadyTime next_due_ = SteadyTime::max();
};

}  // namespace weir::server
