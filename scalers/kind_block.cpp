// Finds the kind of an entry, and what to write for one that does not exist.
#include "scalers/kind_block.hpp"

#include "scalers/catalog.hpp"
#include "scalers/text/other_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace weir::scalers {
namespace {

std::string kinds_listed() {
  std::string out;
  for (const ScalerKind& kind : catalog()) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", kind.name);
  }
  return out;
}

// Empty for a kind, which may have the name that another program has for it, and for any other key.
std::string advice_for(const Node::Field& field) {
  return find_kind(field.key) == nullptr ? other_kind_text(field.key) : std::string();
}

bool has_other_kind(const Node& entry) {
  return std::ranges::any_of(entry.fields,
                             [](const Node::Field& field) { return !advice_for(field).empty(); });
}

}  // namespace

bool check_entry_keys(const Node& entry,
                      std::vector<SettingDoc> rows,
                      std::string_view what,
                      Problems& problems) {
  // Any kind's key is a valid key of an entry; find_block() checks that there is one.
  for (const ScalerKind& kind : catalog())
    rows.push_back({kind.name, "map", nullptr, false, kind.summary});
  if (!has_other_kind(entry)) return check_keys(entry, rows, what, problems);
  // Without the blocks that have a problem of their own.
  Node rest = entry;
  for (const Node::Field& field : entry.fields) {
    const std::string advice = advice_for(field);
    if (advice.empty()) continue;
    problems.add(field.mark,
                 fmt::format("there is no kind {} (the kinds are {}): {}",
                             field.key,
                             kinds_listed(),
                             advice));
  }
  std::erase_if(rest.fields, [](const Node::Field& field) { return !advice_for(field).empty(); });
  return check_keys(rest, rows, what, problems);
}

KindBlock find_block(const Node& entry, std::string_view what, Problems& problems) {
  KindBlock out;
  for (const Node::Field& field : entry.fields) {
    const ScalerKind* kind = find_kind(field.key);
    if (kind == nullptr) continue;
    if (out.kind == nullptr) {
      out = {kind, &field.value};
    } else if (kind != out.kind) {
      problems.add(
          field.mark,
          fmt::format("a {} has one kind, and this one is {} already", what, out.kind->name));
    }
  }
  if (out.kind == nullptr && !has_other_kind(entry)) {
    problems.add(
        entry.mark,
        fmt::format("a {} needs one block named after its kind: {}", what, kinds_listed()));
  }
  return out;
}

}  // namespace weir::scalers
