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
                       SteadyTime now) {
  std::string key = key_of(level, event, fields);
  auto known = kept_.find(key);
  if (known == kept_.end() && kept_.size() >= kMaxKept) {
    fields = {};  // what is one too many counts by its event, of which the program has few
    key = key_of(level, event, fields);
    known = kept_.find(key);
  }
  if (known != kept_.end()) {
    ++known->second.line.repeats;
    return false;
  }
  Line line{level, std::string(event), {fields.begin(), fields.end()}, 0};
  kept_.emplace(std::move(key), Kept{std::move(line), now + kSpan});
  next_due_ = std::min(next_due_, now + kSpan);
  return true;
}

std::vector<LogRepeats::Line> LogRepeats::take_due(SteadyTime now) {
  std::vector<Line> out;
  if (now < next_due_) return out;
  next_due_ = SteadyTime::max();
  std::erase_if(kept_, [&](auto& one) {
    if (now < one.second.until) {
      next_due_ = std::min(next_due_, one.second.until);
      return false;
    }
    if (one.second.line.repeats > 0) out.push_back(std::move(one.second.line));
    return true;
  });
  return out;
}

std::vector<LogRepeats::Line> LogRepeats::take_all() { return take_due(SteadyTime::max()); }

}  // namespace weir::server
