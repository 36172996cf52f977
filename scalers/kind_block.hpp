// The block of an entry that is named after its kind: `prometheus: {...}`. Pure.
#pragma once

#include "scalers/kind.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"

#include <vector>

namespace weir::scalers {

// The one block of an entry of `backends` or `metrics` that is named after a kind.
struct KindBlock {
  const ScalerKind* kind = nullptr;
  const Node* block = nullptr;
};

// Whose entry it is. A backend cannot be of every kind.
enum class EntryOf { backend, metric };

// Checks the keys of an entry: `rows`, and the name of a kind. A block of a source that is no kind,
// such as kafka or cpu, gets a problem that says what serves it. True when the entry is a map.
bool check_entry_keys(const Node& entry,
                      std::vector<SettingDoc> rows,
                      EntryOf what,
                      Problems& problems);

// The block of `entry`; null, with a problem, when there is none or when there are several.
[[nodiscard]] KindBlock find_block(const Node& entry, EntryOf what, Problems& problems);

}  // namespace weir::scalers
