#include "scalers/text.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers {
namespace {

TEST_CASE("a text that is too long is cut between characters") {
  struct Row {
    std::string_view name;
    std::string text;
    std::size_t most;
    std::string shown;
  };
  const Row rows[] = {
      {"one that fits", "abcdef", 6, "abcdef"},
      {"a byte too much", "abcdefg", 6, "abc..."},
      {"a character of two bytes across the end", "ab\u00e9def", 6, "ab..."},
      {"a character of four bytes across the end", "\U0001f600def", 6, "..."},
      {"no room", "abcd", 3, "..."},
      {"empty", "", 3, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(shortened(row.text, row.most) == row.shown); }
  }
}

}  // namespace
}  // namespace weir::scalers
