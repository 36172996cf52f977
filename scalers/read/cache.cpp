#include "scalers/read/cache.hpp"

#include <utility>

namespace weir::scalers::read {

const Answer* Cache::find(std::string_view key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front().answer;
}

void Cache::put(const std::string& key, Answer answer) {
  if (find(key) != nullptr) {
    entries_.front().answer = std::move(answer);
    return;
  }
  if (entries_.size() >= capacity_) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, std::move(answer)});
  index_.emplace(entries_.front().key, entries_.begin());
}

}  // namespace weir::scalers::read
