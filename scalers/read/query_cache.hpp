// The last answer to each distinct question, least recently used first out, so many for each
// namespace that asks: whoever asks a million questions forgets their own answers alone. Raw:
// freshness and policies are applied by whoever reads. Loop thread only.
#pragma once

#include "scalers/read/answer.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::scalers::read {

class Cache {
 public:
  // Answers in all, and at most for one namespace.
  Cache(std::size_t capacity, std::size_t share) : capacity_(capacity), share_(share) {}

  // The kept answer, which becomes the most recently used; nullptr when there is none. Valid until
  // the next put().
  [[nodiscard]] const Answer* find(std::string_view key);
  // A question that several namespaces ask stays with the first.
  void put(const std::string& key, const std::string& name_space, Answer answer);
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string key;
    Answer answer;
  };
  using Entries = std::list<Entry>;  // most recently used first
  using Shelves = std::map<std::string, Entries>;
  struct Place {
    Shelves::iterator shelf;
    Entries::iterator entry;
  };
  void make_room(const std::string& name_space);

  std::size_t capacity_;
  std::size_t share_;
  Shelves shelves_;                                    // by namespace; none is empty between calls
  std::unordered_map<std::string_view, Place> index_;  // keys point into the entries
};

}  // namespace weir::scalers::read
