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

// Whether `body` is a page for browsers, and not markup of another kind, such as an API's XML.
[[nodiscard]] bool is_html(std::string_view body);

// What is between <name> and </name> for the first time, with its escapes resolved; empty: nothing.
[[nodiscard]] std::string xml_text(std::string_view xml, std::string_view name);

}  // namespace weir::scalers
