// Counts repeated log lines. Apart from the log, so that tests can set the time.
#include "server/logging/repeats.hpp"

#include <algorithm>
#include <utility>

namespace weir::server {
namespace {

std::string key_of(Level level, std::string_view event, std::span<const Field> fields) {
  return fmt::format("{} {}", static_cast<int>(level), log_text(event, fields));
}

}  // namespace

bool LogRepeats::admit(Level level,
                       std::string_view event,
                       std::span<const Field> fields,
                       std::size_t identity,
                       SteadyTime now) {
  std::string key = key_of(level, event, fields.first(identity));
  auto entry = entries_.find(key);
  if (entry == entries_.end() && entries_.size() >= kMaxEntries) {
    fields = {};  // the number of events is bounded by the program, that of lines is not
    key = key_of(level, event, fields);
    entry = entries_.find(key);
  }
  if (entry != entries_.end()) {
    ++entry->second.line.repeats;
    return false;
  }
  Line line{level, std::string(event), {fields.begin(), fields.end()}, 0};
  entries_.emplace(std::move(key), Entry{std::move(line), now + span_});
  next_due_ = std::min(next_due_, now + span_);
  return true;
}

std::vector<LogRepeats::Line> LogRepeats::take_due(SteadyTime now) {
  std::vector<Line> out;
  // Called for every rate-limited line, so the map is scanned only when an entry is due.
  if (now < next_due_) return out;
  next_due_ = SteadyTime::max();
  std::erase_if(entries_, [&](auto& item) {
    if (now < item.second.until) {
      next_due_ = std::min(next_due_, item.second.until);
      return false;
    }
    // Without repeats there is nothing to report: the line itself was written when it came.
    if (item.second.line.repeats > 0) out.push_back(std::move(item.second.line));
    return true;
  });
  return out;
}

std::vector<LogRepeats::Line> LogRepeats::take_all() { return take_due(SteadyTime::max()); }

}  // namespace weir::server
