#include "apiservice/encoding/json.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::apiservice {
namespace {

using namespace std::string_view_literals;

struct Row {
  std::string_view name;
  std::string_view text;
  std::string_view json;  // between the quotes
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) {
    std::string out = "x";

    append_json_string(out, row.text);

    CHECK(out == "x\"" + std::string(row.json) + "\"");
  }
}

TEST_CASE("text is escaped as Go's encoder escapes it") {
  const Row rows[] = {
      {"nothing", "", ""},
      {"plain", "abc /'", "abc /'"},
      {"quotes", R"(a"b")", R"(a\"b\")"},
      {"a backslash", R"(a\b)", R"(a\\b)"},
      {"for HTML", "<a>&", R"(\u003ca\u003e\u0026)"},
      {"line ends and a tab", "\n\r\t", R"(\n\r\t)"},
      {"backspace and form feed", "\b\f", R"(\b\f)"},
      {"NUL", "a\0b"sv, R"(a\u0000b)"},
      {"other control bytes", "\x01\x0b\x1f", R"(\u0001\u000b\u001f)"},
      {"S57: ANSI", "\x1b[31m", R"(\u001b[31m)"},
      {"DEL is plain", "\x7f", "\x7f"},
      {"a line separator", "a\u2028b", R"(a\u2028b)"},
      {"a paragraph separator", "\u2029", R"(\u2029)"},
      {"their neighbours", "\u2027\u202a", "\u2027\u202a"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("well-formed UTF-8 is unchanged") {
  const Row rows[] = {
      {"two bytes, the lowest", "\xc2\x80", "\xc2\x80"},
      {"two bytes, the highest", "\xdf\xbf", "\xdf\xbf"},
      {"three bytes, the lowest", "\xe0\xa0\x80", "\xe0\xa0\x80"},
      {"the last before the surrogates", "\xed\x9f\xbf", "\xed\x9f\xbf"},
      {"the first after the surrogates", "\xee\x80\x80", "\xee\x80\x80"},
      {"U+FFFD itself", "\xef\xbf\xbd", "\xef\xbf\xbd"},
      {"four bytes, the lowest", "\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
      {"four bytes, the highest", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      {"between plain text", "a\xc3\xa4z", "a\xc3\xa4z"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("each byte that is not UTF-8 becomes one U+FFFD") {
  const Row rows[] = {
      {"a tail alone", "a\x80z", R"(a\ufffdz)"},
      {"0xff", "\xff", R"(\ufffd)"},
      {"overlong two bytes", "\xc0\x80", R"(\ufffd\ufffd)"},
      {"overlong slash", "\xc1\xaf", R"(\ufffd\ufffd)"},
      {"overlong three bytes", "\xe0\x9f\xbf", R"(\ufffd\ufffd\ufffd)"},
      {"overlong four bytes", "\xf0\x8f\xbf\xbf", R"(\ufffd\ufffd\ufffd\ufffd)"},
      {"a low surrogate", "\xed\xa0\x80", R"(\ufffd\ufffd\ufffd)"},
      {"a high surrogate", "\xed\xbf\xbf", R"(\ufffd\ufffd\ufffd)"},
      {"above U+10FFFF", "\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},
      {"a lead of five bytes", "\xf8\x88\x80\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd\ufffd)"},
      {"two bytes cut off", "\xc3", R"(\ufffd)"},
      {"three bytes cut off", "\xe2\x80", R"(\ufffd\ufffd)"},
      {"four bytes cut off", "\xf0\x90\x80", R"(\ufffd\ufffd\ufffd)"},
      {"two bytes broken by a letter", "\xc3z", R"(\ufffdz)"},
      {"three bytes broken by a letter", "\xe2\x80z", R"(\ufffd\ufffdz)"},
      {"four bytes broken by a quote", "\xf0\x90\x80\"", R"(\ufffd\ufffd\ufffd\")"},
      {"a lead before a whole sequence", "\xc3\xc3\xa4", "\\ufffd\xc3\xa4"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("case 36: indented JSON has two spaces per level and no line end") {
  struct Case {
    std::string_view name;
    std::string_view json;
    std::string_view indented;
  };
  const Case rows[] = {
      {"an object", "{\"a\":1,\"b\":\"x\"}\n", "{\n  \"a\": 1,\n  \"b\": \"x\"\n}"},
      {"empty ones", R"({"a":{},"b":[]})", "{\n  \"a\": {},\n  \"b\": []\n}"},
      {"nested",
       R"([[1,2],{"a":[null]}])",
       "[\n  [\n    1,\n    2\n  ],\n  {\n    \"a\": [\n"
       "      null\n    ]\n  }\n]"},
      {"signs in a string stay",
       R"({"a":"{,:[\\\"]}\u003c"})",
       "{\n  \"a\": \"{,:[\\\\\\\"]}\\u003c\"\n}"},
      {"what is indented already", "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"},
      {"a scalar", "true", "true"},
  };

  for (const Case& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(indented_json(row.json) == row.indented); }
  }
}

}  // namespace
}  // namespace weir::apiservice
