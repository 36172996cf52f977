// The last answer to each distinct query, partitioned by the namespace of the caller: a namespace
// with a million queries loses its own answers alone. A query of several namespaces stays with the
// first. Raw: freshness and policies are applied at each read. Loop thread only.
#pragma once

#include "scalers/lru.hpp"
#include "scalers/read/answer.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::read {

// Answers in all, and of one namespace.
inline constexpr std::size_t kMaxCachedAnswers = 100'000;
inline constexpr std::size_t kMaxCachedOfNamespace = 10'000;

class QueryCache {
 public:
  explicit QueryCache(std::size_t capacity = kMaxCachedAnswers,
                      std::size_t share = kMaxCachedOfNamespace)
      : answers_(capacity, share) {}

  // The last answer of the query, whatever its age; null when there is none.
  [[nodiscard]] AnswerPtr find(std::string_view key) {
    const AnswerPtr* found = answers_.find(key);
    return found == nullptr ? nullptr : *found;
  }
  void put(const std::string& key, const std::string& name_space, AnswerPtr answer) {
    answers_.put(key, name_space, std::move(answer));
  }
  [[nodiscard]] std::size_t size() const { return answers_.size(); }

 private:
  Lru<AnswerPtr> answers_;
};

}  // namespace weir::scalers::read
