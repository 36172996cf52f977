// Holds back log lines that say again what a line of the last seconds said, and tells how many
// there were; of more different lines than it remembers, those that have the same event. Pure;
// owned by the log.
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
  // How long one line stands for all of its kind.
  static constexpr Duration kSpan{10'000};
  // Different lines that are remembered; beyond them all lines of one event and level are one,
  // which its later ones repeat, and which has no fields where they are told.
  static constexpr std::size_t kMaxKept = 256;

  struct Line {
    Level level;
    std::string event;
    std::vector<Field> fields;
    std::uint64_t repeats;  // that were not written
  };

  // False when the line, or beyond kMaxKept its event, was written within the last span: it is
  // counted then.
  [[nodiscard]] bool admit(Level level,
                           std::string_view event,
                           std::span<const Field> fields,
                           SteadyTime now);
  // The lines that had repeats in a span that is over.
  [[nodiscard]] std::vector<Line> take_due(SteadyTime now);
  // All that had repeats.
  [[nodiscard]] std::vector<Line> take_all();

 private:
  struct Kept {
    Line line;
    SteadyTime until;
  };
  std::map<std::string, Kept, std::less<>> kept_;  // by the line's text
  SteadyTime next_due_ = SteadyTime::max();
};

}  // namespace weir::server
