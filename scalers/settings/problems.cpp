// The order and the form in which problems are printed: an operator reads them from the top of the
// file to its end.
#include "scalers/settings/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace weir::scalers {
namespace {

std::vector<Problem> in_order(std::vector<Problem> problems) {
  std::ranges::sort(problems, {}, [](const Problem& problem) {
    return std::tie(problem.mark.file, problem.mark.line, problem.mark.column, problem.what);
  });
  return problems;
}

std::vector<std::string> lines_of(const std::vector<Problem>& sorted) {
  std::vector<std::string> out;
  for (const Problem& problem : sorted) {
    const Mark& mark = problem.mark;
    out.push_back(
        // A problem of a whole file, such as one that cannot be read, has no line.
        mark.line == 0
            ? fmt::format("{}: {}", mark.file, problem.what)
            : fmt::format("{}:{}:{}: {}", mark.file, mark.line, mark.column, problem.what));
  }
  return out;
}

}  // namespace

std::vector<Problem> Problems::sorted() const {
  std::vector<Problem> both = problems_;
  both.insert(both.end(), in_files_.begin(), in_files_.end());
  return in_order(std::move(both));
}

std::vector<std::string> Problems::lines() const { return lines_of(in_order(problems_)); }

std::vector<std::string> Problems::lines_in_files() const { return lines_of(in_order(in_files_)); }

std::vector<std::string> Problems::all_lines() const { return lines_of(sorted()); }

void add_duplicate(const Node::Field& first, const Node::Field& again, Problems& problems) {
  const std::string position =
      first.mark.line == 0 ? ""
                           : fmt::format(" (first at {}:{})", first.mark.line, first.mark.column);
  problems.add(again.mark, fmt::format("duplicate key {}{}", again.key, position));
}

}  // namespace weir::scalers
