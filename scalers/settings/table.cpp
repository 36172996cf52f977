// The checks of a block's keys, apart from the templates of the header because they are the same
// for every struct.
#include "scalers/settings/table.hpp"

#include "scalers/text/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace weir::scalers {

bool check_keys(const Node& block,
                std::span<const SettingDoc> rows,
                std::string_view what,
                Problems& problems) {
  if (block.kind != Node::Kind::map) {
    problems.add(block.mark,
                 fmt::format("expected a map of settings for a {}; {}", what, found_text(block)));
    return false;
  }
  std::vector<std::string_view> names;
  for (const SettingDoc& row : rows) names.push_back(row.name);
  std::map<std::string_view, const Node::Field*> firsts;
  for (const Node::Field& field : block.fields) {
    const auto [first, is_first] = firsts.try_emplace(field.key, &field);
    // One problem per key: a duplicate of an unknown key is reported as a duplicate only.
    if (!is_first) {
      add_duplicate(*first->second, field, problems);
    } else if (std::ranges::find(names, field.key) == names.end()) {
      const std::string suggestion = did_you_mean(field.key, names);
      problems.add(field.mark,
                   fmt::format("unknown key \"{}\" in a {}{} {} {}",
                               field.key,
                               what,
                               suggestion.empty() ? ";" : suggestion,
                               suggestion.empty() ? "its keys are" : "Its keys are",
                               fmt::join(names, ", ")));
    }
  }
  for (const SettingDoc& row : rows) {
    if (row.is_required && !firsts.contains(row.name)) {
      // A missing key has no position, so that the block's own is reported.
      problems.add(block.mark, fmt::format("a {} needs {}: {}", what, row.name, row.doc));
    }
  }
  // Also after problems, so that the values are read and all problems are reported at once.
  return true;
}

}  // namespace weir::scalers
