// The last answer to each distinct question, least recently used first out. Raw: freshness and
// policies are applied by whoever reads. Loop thread only.
#pragma once

#include "scalers/backend.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::scalers::read {

// What the backend said, and when.
struct Answer {
  Result<Sample> sample;
  SteadyTime at;        // when the backend was asked
  WallTime asked_at;    // the same by the wall clock
  SteadyTime retry_at;  // for an error: when the backend may be asked again
  Duration budget;      // how long the backend was given
};

class Cache {
 public:
  explicit Cache(std::size_t capacity) : capacity_(capacity) {}

  // The kept answer, which becomes the most recently used; nullptr when there is none. Valid until
  // the next put().
  [[nodiscard]] const Answer* find(std::string_view key);
  void put(const std::string& key, Answer answer);
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string key;
    Answer answer;
  };

  std::size_t capacity_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator>
      index_;  // keys point into entries_
};

}  // namespace weir::scalers::read
