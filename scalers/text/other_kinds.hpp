// What serves a source that is no kind of Weir: for people who write the name that another program
// has for it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::scalers {

// What to write in place of a block named `key`, such as kafka or cpu; empty for a name that is not
// known.
[[nodiscard]] std::string other_kind_text(std::string_view key);

}  // namespace weir::scalers
