// UTF-8 and ASCII functions that several rooms need. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::scalers {

// `text` with ASCII letters in lower case, whatever the locale.
[[nodiscard]] std::string lower_case(std::string_view text);
// Below, at or above 0 as `left` comes before, is equal to or comes after `right` in lower case.
[[nodiscard]] int compare_ignoring_case(std::string_view left, std::string_view right);
[[nodiscard]] inline bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left == right || (left.size() == right.size() && compare_ignoring_case(left, right) == 0);
}

// Length of the well-formed UTF-8 sequence at `at` (no overlong form, no surrogate, at most
// U+10FFFF), or 0.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);

// Length of the character at `at`, or 0: of one that a terminal may take for a command (C0, DEL,
// C1), and of a byte that is not UTF-8.
[[nodiscard]] std::size_t printable_length(std::string_view text, std::size_t at);

// `text` in at most `most` bytes (3 or more): a longer one is cut between characters and ends with
// "...".
[[nodiscard]] std::string shortened(std::string text, std::size_t most);

// `text` with a space for each control byte and each byte that is not UTF-8, because a terminal
// takes commands from them.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace weir::scalers
