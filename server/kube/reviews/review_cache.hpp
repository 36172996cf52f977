// Answers of the kube-apiserver that are kept for a while: the least recently used go first. Pure;
// loop thread only.
#pragma once

#include "scalers/deadline.hpp"

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace weir::server::cluster {

template <class Verdict>
class ReviewCache {
 public:
  explicit ReviewCache(std::size_t capacity) : capacity_(capacity) {}

  // nullptr when nothing is kept under `key` at `now`. Good until the next call.
  [[nodiscard]] const Verdict* find(const std::string& key, SteadyTime now) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    const auto entry = found->second;
    if (now >= entry->until) {
      by_key_.erase(found);
      entries_.erase(entry);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return &entry->verdict;
  }

  void keep(const std::string& key, Verdict verdict, SteadyTime until) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      const auto entry = found->second;
      by_key_.erase(found);
      entries_.erase(entry);
    }
    entries_.push_front({key, std::move(verdict), until});
    by_key_.emplace(entries_.front().key, entries_.begin());
    if (entries_.size() <= capacity_) return;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    Verdict verdict;
    SteadyTime until;
  };

  std::size_t capacity_;
  std::list<Entry> entries_;  // the most recently used first
  // Its keys are those of the entries.
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace weir::server::cluster
