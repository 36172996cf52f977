#include "server/log.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

using namespace std::string_view_literals;

TEST_CASE("a line is its event and its fields, in order") {
  CHECK(log_text("stopped", {}) == "stopped");
  CHECK(log_text("backend_down", {{"backend", "prom"}, {"after_ms", 250}}) ==
        R"(backend_down backend="prom" after_ms="250")");
  CHECK(log_text("serving",
                 {{"port", std::uint16_t{443}}, {"share", 0.5}, {"address", std::string("::1")}}) ==
        R"(serving port="443" share="0.5" address="::1")");
}

TEST_CASE("S57: no value can end its quotes, its line or the terminal's colours") {
  struct Row {
    std::string_view name;
    std::string_view value;
    std::string_view quoted;
  };
  const Row rows[] = {
      {"nothing", "", R"("")"},
      {"plain", "a b=c", R"("a b=c")"},
      {"quotes", R"(a" x="b)", R"("a\" x=\"b")"},
      {"a backslash", R"(a\)", R"("a\\")"},
      {"a backslash before quotes", R"(\")", R"("\\\"")"},
      {"a line end", "a\nI0101 weir] forged", R"("a\x0aI0101 weir] forged")"},
      {"a carriage return", "a\rb", R"("a\x0db")"},
      {"a tab", "a\tb", R"("a\x09b")"},
      {"ANSI", "\x1b[2J", R"("\x1b[2J")"},
      {"a bell and a backspace", "\a\b", R"("\x07\x08")"},
      {"NUL", "a\0b"sv, R"("a\x00b")"},
      {"DEL", "\x7f", R"("\x7f")"},
      {"braces are no format", "{} {0} %s", R"("{} {0} %s")"},
      {"UTF-8", "\xc3\xa4", R"("\xc3\xa4")"},
      {"a terminal's one-byte escape", "\xc2\x9b", R"("\xc2\x9b")"},
      {"no UTF-8", "\xff", R"("\xff")"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(log_text("e", {{"f", row.value}}) == "e f=" + std::string(row.quoted));
    }
  }
}

}  // namespace
}  // namespace weir::server
