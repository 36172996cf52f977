// Finds the kind of an entry, and what to write for one that does not exist.
#include "scalers/kind_block.hpp"

#include "scalers/catalog.hpp"
#include "scalers/text/other_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers {
namespace {

std::string_view name_of(EntryOf what) { return what == EntryOf::backend ? "backend" : "metric"; }

bool may_be_of(const ScalerKind& kind, EntryOf what) {
  return what == EntryOf::metric || kind.has_backends();
}

std::string kinds_listed(EntryOf what) {
  std::string out;
  for (const ScalerKind& kind : catalog()) {
    if (may_be_of(kind, what)) out += fmt::format("{}{}", out.empty() ? "" : ", ", kind.name);
  }
  return out;
}

// Empty for a kind, which may have the name that another program has for it, and for any other key.
std::string problem_of(const Node::Field& field, EntryOf what) {
  if (const ScalerKind* kind = find_kind(field.key)) {
    if (may_be_of(*kind, what)) return "";
    return fmt::format("{} needs no backend; write the block {}: in a metric",
                       kind->name,
                       kind->name);
  }
  const std::string advice = other_kind_text(field.key);
  if (advice.empty()) return "";
  return fmt::format("there is no kind {} (the kinds are {}): {}",
                     field.key,
                     kinds_listed(what),
                     advice);
}

bool has_other_kind(const Node& entry, EntryOf what) {
  return std::ranges::any_of(entry.fields, [&](const Node::Field& field) {
    return !problem_of(field, what).empty();
  });
}

}  // namespace

bool check_entry_keys(const Node& entry,
                      std::vector<SettingDoc> rows,
                      EntryOf what,
                      Problems& problems) {
  // Any kind's key is a valid key of an entry; find_block() checks that there is one.
  for (const ScalerKind& kind : catalog()) {
    if (may_be_of(kind, what)) rows.push_back({kind.name, "map", nullptr, false, kind.summary});
  }
  // Without the blocks that have a problem of their own.
  Node rest = entry;
  for (const Node::Field& field : entry.fields) {
    const std::string problem = problem_of(field, what);
    if (!problem.empty()) problems.add(field.mark, problem);
  }
  std::erase_if(rest.fields,
                [&](const Node::Field& field) { return !problem_of(field, what).empty(); });
  return check_keys(rest, rows, name_of(what), problems);
}

KindBlock find_block(const Node& entry, EntryOf what, Problems& problems) {
  KindBlock out;
  for (const Node::Field& field : entry.fields) {
    const ScalerKind* kind = find_kind(field.key);
    if (kind == nullptr || !may_be_of(*kind, what)) continue;
    if (out.kind == nullptr) {
      out = {kind, &field.value};
    } else if (kind != out.kind) {
      problems.add(field.mark,
                   fmt::format("a {} has one kind, and this one is {} already",
                               name_of(what),
                               out.kind->name));
    }
  }
  if (out.kind == nullptr && !has_other_kind(entry, what)) {
    problems.add(entry.mark,
                 fmt::format("a {} needs one block named after its kind: {}",
                             name_of(what),
                             kinds_listed(what)));
  }
  return out;
}

}  // namespace weir::scalers
