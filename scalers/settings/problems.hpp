// Everything that is wrong with a configuration, each with its position and what to write instead.
// Problems are collected, not thrown, so that an operator sees all of them at once. Pure.
#pragma once

#include "scalers/settings/node.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

struct Problem {
  Mark mark;
  std::string what;
};

class Problems {
 public:
  void add(const Mark& mark, std::string what) { problems_.push_back({mark, std::move(what)}); }
  void add_all(const Problems& other) {
    problems_.insert(problems_.end(), other.problems_.begin(), other.problems_.end());
  }
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] std::size_t size() const { return problems_.size(); }
  // In the order of files, lines and columns.
  [[nodiscard]] std::vector<Problem> sorted() const;
  // "file:line:column: what" of each, in the order of files, lines and columns.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Problem> problems_;
};

// "duplicate key x (first at 12:3)" at the mark of `again`; without the position when `first` has
// none.
void add_duplicate(const Node::Field& first, const Node::Field& again, Problems& problems);

}  // namespace weir::scalers
