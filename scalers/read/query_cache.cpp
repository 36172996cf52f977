#include "scalers/read/query_cache.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers::read {

const Answer* Cache::find(std::string_view key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  const auto& [shelf, entry] = found->second;
  Entries& entries = shelf->second;
  entries.splice(entries.begin(), entries, entry);
  return &entry->answer;
}

void Cache::put(const std::string& key, const std::string& name_space, Answer answer) {
  const auto known = index_.find(key);
  if (known != index_.end()) {
    known->second.entry->answer = std::move(answer);
    static_cast<void>(find(key));
    return;
  }
  make_room(name_space);
  const auto shelf = shelves_.try_emplace(name_space).first;
  shelf->second.push_front({key, std::move(answer)});
  const auto entry = shelf->second.begin();
  index_.emplace(entry->key, Place{shelf, entry});
}

// A full share loses its own oldest answer; a full cache that of the namespace with the most.
void Cache::make_room(const std::string& name_space) {
  auto shelf = shelves_.find(name_space);
  const bool is_share_full = shelf != shelves_.end() && shelf->second.size() >= share_;
  if (!is_share_full && index_.size() < capacity_) return;
  if (!is_share_full) {
    shelf =
        std::ranges::max_element(shelves_, {}, [](const auto& one) { return one.second.size(); });
  }
  index_.erase(shelf->second.back().key);
  shelf->second.pop_back();
  if (shelf->second.empty()) shelves_.erase(shelf);
}

}  // namespace weir::scalers::read
