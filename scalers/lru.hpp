// Values by key of which the least recently used leave first, in partitions: a partition that fills
// its share loses its own values alone. The caches of readings and of reviews, the histories of
// fallbacks and the last values are made of it. Pure: knows no time and no Kubernetes. One thread.
#pragma once

#include "scalers/keyed_hash.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace weir::scalers {

template <class Value>
class Lru {
 public:
  // Values in all, and at most in one partition; each is 1 at least.
  Lru(std::size_t capacity, std::size_t share) : capacity_(capacity), share_(share) {}

  // The value, which becomes the most recently used; nullptr when there is none. Valid until the
  // next put(), erase() or erase_if().
  [[nodiscard]] Value* find(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    touch(found->second);
    return &found->second.entry->value;
  }

  // The value becomes the most recently used. A key that is present stays in its partition. A full
  // partition loses its least recently used value; otherwise a full cache loses that of the largest
  // partition.
  void put(const std::string& key, const std::string& partition, Value value) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      found->second.entry->value = std::move(value);
      touch(found->second);
      return;
    }
    make_room(partition);
    const auto target = partitions_.try_emplace(partition).first;
    target->second.push_front({key, std::move(value)});
    const auto entry = target->second.begin();
    index_.emplace(entry->key, Location{target, entry});
  }

  // The value that put() of another key into `partition` would discard; nullptr when there is room.
  [[nodiscard]] const Value* victim(std::string_view partition) const {
    const auto crowded = crowded_partition(partition);
    return crowded == partitions_.end() ? nullptr : &crowded->second.back().value;
  }

  void erase(std::string_view key) {
    const auto found = index_.find(key);
    if (found != index_.end()) discard(found->second);
  }

  // Erases every value that `is_gone(Value&)` is true for.
  template <class IsGone>
  void erase_if(IsGone is_gone) {
    for (auto partition = partitions_.begin(); partition != partitions_.end();) {
      partition->second.remove_if([&](Entry& entry) {
        const bool is_erased = is_gone(entry.value);
        if (is_erased) index_.erase(entry.key);
        return is_erased;
      });
      partition = partition->second.empty() ? partitions_.erase(partition) : std::next(partition);
    }
  }

  // Calls `visit(const Value&)` with each value; none counts as used by that.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [name, entries] : partitions_)
      for (const Entry& entry : entries) visit(entry.value);
  }

  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string key;
    Value value;
  };
  using Entries = std::list<Entry>;  // most recently used first
  using Partitions = std::map<std::string, Entries, std::less<>>;
  struct Location {
    typename Partitions::iterator partition;
    typename Entries::iterator entry;
  };

  static void touch(const Location& location) {
    Entries& entries = location.partition->second;
    entries.splice(entries.begin(), entries, location.entry);
  }

  void discard(Location location) {
    index_.erase(location.entry->key);
    location.partition->second.erase(location.entry);
    if (location.partition->second.empty()) partitions_.erase(location.partition);
  }

  // The partition that has to lose a value before one more fits into `partition`; end: none.
  [[nodiscard]] typename Partitions::const_iterator crowded_partition(
      std::string_view partition) const {
    const auto target = partitions_.find(partition);
    if (target != partitions_.end() && target->second.size() >= share_) return target;
    if (index_.size() < capacity_) return partitions_.end();
    return std::ranges::max_element(partitions_, {}, [](const auto& one) {
      return one.second.size();
    });
  }

  void make_room(std::string_view partition) {
    const auto crowded = crowded_partition(partition);
    if (crowded != partitions_.end())
      discard(index_.find(std::string_view(crowded->second.back().key))->second);
  }

  std::size_t capacity_;
  std::size_t share_;
  Partitions partitions_;  // none is empty between calls
  // Keys point into the entries. By a KeyedHash, because callers choose them.
  std::unordered_map<std::string_view, Location, KeyedHash> index_;
};

}  // namespace weir::scalers
