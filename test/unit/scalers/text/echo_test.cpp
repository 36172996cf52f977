// echo_at(): where a text ends in a message that has it in another encoding.
#include "scalers/text/echo.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers {
namespace {

TEST_CASE("an echo ends where the whole text does") {
  struct Row {
    std::string_view name;
    std::string text;
    std::string message;
    std::size_t end;
  };
  const Row rows[] = {
      {"as it is", "a/b", "a/b!", 3},
      {"another text", "a/b", "a/c", 0},
      {"a part of it", "a/b", "a/", 0},
      {"nothing", "a/b", "", 0},
      {"percent-encoded", "a/b", "a%2Fb!", 5},
      {"percent-encoded in lower case", "a/b", "a%2fb", 5},
      {"of every character", "a/b", "%61%2F%62%", 9},
      {"another percent-encoded character", "a/b", "a%2Eb", 0},
      {"no hexadecimal digits", "a/b", "a%2gb", 0},
      {"a sign in place of a digit", "a/b", "a%+fb", 0},
      {"a backslash", "a/\"\\b", "a\\/\\\"\\\\b", 8},
      {"a Unicode escape", "a&b", "a\\u0026b", 8},
      {"a Unicode escape of another character", "a&b", "a\\u0126b", 0},
      {"an escape of a byte", "a&b", "a\\x26b", 6},
      {"entities", "<'\"&>", "&lt;&#39;&quot;&amp;&gt;", 24},
      {"other entities", "<'\"/", "&#60;&apos;&#034;&#x2F;", 23},
      {"an unknown entity", "a&b", "a&copy;b", 0},
      {"an entity without its end", "a&b", "a&ampb", 0},
      {"an entity without a number", "a&b", "a&#;b", 0},
      {"a blank", "a b", "a b", 3},
      {"the + of a form", "a b", "a+b", 3},
      {"a run of blanks", "a b", "a \\n%20+%0A&nbsp;b", 18},
      {"fewer blanks", "a   b", "a b", 3},
      {"no blank", "a b", "ab", 0},
      {"a + after a blank", "a +b", "a  +b", 5},
      {"an encoded + after a blank", "a +b", "a+%2Bb", 6},
      {"what looks like an escape", "a%25b", "a%25b", 5},
      {"what looks like an escape, encoded", "a%25b", "a%2525b", 7},
      {"the longest", "a%", "a%25", 4},
      {"backslashes", std::string(100, '\\') + "a", std::string(100, '\\') + "a", 101},
      {"backslashes with backslashes",
       std::string(100, '\\') + "a",
       std::string(200, '\\') + "a",
       201},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(echo_at(row.message, 0, row.text).end == row.end); }
  }
}

TEST_CASE("an echo begins at the given place alone") {
  CHECK(echo_at("xab", 0, "ab").end == 0);
  CHECK(echo_at("xab", 1, "ab").end == 3);
}

TEST_CASE("a message may end within an echo") {
  struct Row {
    std::string_view name;
    std::string message;
    std::size_t cut;
  };
  const Row rows[] = {
      {"at a character", "abcd/", 5},
      {"after an escape", "abcd%2F", 5},
      {"within an escape", "abcd%2", 4},
      {"within an entity", "abcd&#x2", 4},
      {"in a blank", "abcd/e ", 7},
      {"not at all", "abcx", 0},
      {"at another character", "abcd/x", 0},
      {"nowhere, because it is whole", "abcd/e f", 0},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(echo_at(row.message, 0, "abcd/e f").cut == row.cut); }
  }
}

}  // namespace
}  // namespace weir::scalers
