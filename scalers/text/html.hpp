// The words of an HTML or XML page, which proxies and login pages send in place of an error of the
// API. Not a parser: enough for one line of an error. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers {

// Its title, or all of its text when it has none, on one line and without tags; nullopt when `body`
// is not a page. Of the first 8 KiB after comments and blanks, because a page may have a megabyte.
[[nodiscard]] std::optional<std::string> page_words(std::string_view body);

}  // namespace weir::scalers
