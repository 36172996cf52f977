// A slow read delays the lines of the tracks after it by one interval at most.
#include "server/commands/record/rounds.hpp"

#include <utility>

namespace weir::server::record {

std::vector<std::string> Rounds::flush() {
  std::vector<std::string> out;
  for (auto& [track, line] : waiting_) {
    out.push_back(std::move(line));
    next_ = track + 1;
  }
  waiting_.clear();
  return out;
}

std::vector<std::string> Rounds::add(std::size_t round, std::size_t track, std::string line) {
  if (round < round_) return {std::move(line)};
  std::vector<std::string> out;
  if (round > round_) {
    out = flush();
    round_ = round;
    next_ = 0;
  }
  // After a flush the lines of earlier tracks come late.
  if (track < next_) {
    out.push_back(std::move(line));
    return out;
  }
  waiting_.emplace(track, std::move(line));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_;
       first = waiting_.erase(first), ++next_)
    out.push_back(std::move(first->second));
  return out;
}

}  // namespace weir::server::record
