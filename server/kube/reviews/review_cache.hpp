// Responses of the kube-apiserver to reviews, each cached until a time of its own: the least
// recently used go first. Pure; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/lru.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace weir::server::cluster {

template <class Verdict>
class ReviewCache {
 public:
  explicit ReviewCache(std::size_t capacity) : entries_(capacity, capacity) {}

  // nullptr when nothing is cached under `key` at `now`. Valid until the next call.
  [[nodiscard]] const Verdict* find(const std::string& key, SteadyTime now) {
    const Entry* entry = entries_.find(key);
    if (entry == nullptr) return nullptr;
    if (now < entry->until) return &entry->verdict;
    entries_.erase(key);
    return nullptr;
  }

  void put(const std::string& key, Verdict verdict, SteadyTime until) {
    entries_.put(key, "", {std::move(verdict), until});
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Verdict verdict;
    SteadyTime until;
  };

  scalers::Lru<Entry> entries_;  // in one partition
};

}  // namespace weir::server::cluster
