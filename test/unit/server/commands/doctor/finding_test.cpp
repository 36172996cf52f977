#include "server/commands/doctor/finding.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::server::doctor {
namespace {

TEST_CASE("findings as text: the verdict, then a line for each, the worst first") {
  const Findings findings{ok("a", "is well"),
                          warning("b", "is odd", "look"),
                          error("c", "is\nbad", ""),
                          ok("d", "is well, too")};

  CHECK(text_of(findings) ==
        "problems were found: 1 error, 1 warning, 2 ok\n"
        "error    c: is bad\n"
        "warning  b: is odd -> look\n"
        "ok       a: is well\n"
        "ok       d: is well, too\n");
  CHECK(text_of(Findings{}) == "nothing was checked: 0 errors, 0 warnings, 0 ok\n");
  CHECK_THAT(text_of(Findings{ok("a", "b")}), Catch::StartsWith("no problem was found: 0 errors"));
  CHECK_THAT(text_of(Findings{warning("a", "b", "")}),
             Catch::StartsWith("no errors, but something to look at: 0 errors, 1 warning, 0 ok\n"));
}

TEST_CASE("findings as JSON") {
  CHECK(json_of(Findings{error("c", "is \"bad\xff\"", "fix it")}) ==
        "{\n  \"errors\": 1,\n  \"warnings\": 0,\n  \"findings\": [\n    {\n"
        "      \"severity\": \"error\",\n      \"object\": \"c\",\n"
        "      \"what\": \"is \\\"bad \\\"\",\n      \"action\": \"fix it\"\n    }\n  ]\n}\n");
}

TEST_CASE("the worst finding counts, in any order") {
  CHECK(worst_of(Findings{}) == Severity::ok);
  CHECK(worst_of(Findings{ok("a", "")}) == Severity::ok);
  CHECK(worst_of(Findings{warning("a", "", ""), ok("a", "")}) == Severity::warning);
  CHECK(worst_of(Findings{error("a", "", ""), warning("a", "", "")}) == Severity::error);
}

TEST_CASE("a text of the cluster becomes one line without control bytes") {
  struct Row {
    std::string_view name;
    std::string text;
    std::string line;
  };
  const Row rows[] = {
      {"lines", "a\r\n  b\tc", "a b c"},
      {"at the ends", "\n a \n", "a"},
      {"an escape sequence", "a\x1b[31mb", "a [31mb"},
      {"an escape sequence in one character", "a\u009b31mb", "a 31mb"},
      {"no UTF-8",
       "a\xff\xfe"
       "b",
       "a b"},
      {"UTF-8", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"a NUL", std::string("a\0b", 3), "a b"},
      {"600 bytes", std::string(600, 'x'), std::string(600, 'x')},
      {"more", std::string(601, 'x'), std::string(600, 'x') + "..."},
      {"cut at a letter's end", std::string(599, 'x') + "\xc3\xbc", std::string(599, 'x') + "..."},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(one_line(row.text) == row.line); }
  }
}

}  // namespace
}  // namespace weir::server::doctor
