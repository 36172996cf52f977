#include "scalers/text/utf8.hpp"

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

struct Row {
  std::string_view name;
  std::string_view text;
  std::string_view shown;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) { CHECK(printable(row.text) == row.shown); }
}

TEST_CASE("a printed text contains no terminal commands") {
  const Row rows[] = {
      {"plain", "queue a: 7", "queue a: 7"},
      {"letters beyond ASCII", "L\xc3\xa4nge \xe2\x82\xac", "L\xc3\xa4nge \xe2\x82\xac"},
      {"an escape", "\x1b]0;title\x07", " ]0;title "},
      {"lines", "a\r\nb\tc", "a  b c"},
      {"delete", "a\x7f", "a "},
      {"a zero byte", std::string_view("a\0b", 3), "a b"},
      {"the other way to begin a command",
       "\xc2\x9b"
       "2J",
       " 2J"},
      {"the first character after those", "\xc2\xa0", "\xc2\xa0"},
      {"bytes that are not UTF-8",
       "a\x9b\xff"
       "b",
       "a  b"},
      {"a sequence cut short", "a\xe2\x82", "a  "},
      {"empty", "", ""},
  };

  for (const Row& row : rows) check(row);
}

}  // namespace
}  // namespace weir::scalers
