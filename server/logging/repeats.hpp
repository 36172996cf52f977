// Rate-limits equal log lines: counts those that repeat a line of the last 10 s, or of another
// span. Pure; owned by the log, and by who needs another span.
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
  explicit LogRepeats(Duration span = kSpan) : span_(span) {}

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
  // written within the span; the line is counted then. Lines whose first `identity` fields are
  // equal are the same line.
  [[nodiscard]] bool admit(Level level,
                           std::string_view event,
                           std::span<const Field> fields,
                           std::size_t identity,
                           SteadyTime now);
  [[nodiscard]] bool admit(Level level,
                           std::string_view event,
                           std::span<const Field> fields,
                           SteadyTime now) {
    return admit(level, event, fields, fields.size(), now);
  }
  // Removes and returns the lines with repeats whose span is over.
  [[nodiscard]] std::vector<Line> take_due(SteadyTime now);
  // Removes and returns all lines with repeats.
  [[nodiscard]] std::vector<Line> take_all();

 private:
  struct Entry {
    Line line;
    SteadyTime until;
  };
  Duration span_;
  std::map<std::string, Entry, std::less<>> entries_;  // by the line's text
  SteadyTime next_due_ = SteadyTime::max();
};

}  // namespace weir::server
