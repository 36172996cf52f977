#include "server/logging/log.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

using namespace std::chrono_literals;
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

TEST_CASE("a text line begins with klog's header: UTC, microseconds cut off, the process id") {
  using std::chrono::sys_days, std::chrono::year;
  struct Row {
    std::string_view name;
    WallTime time;
    Level level;
    int pid;
    std::string_view prefix;
  };
  const WallTime day = WallTime(sys_days(year(2026) / 11 / 22));
  const Row rows[] = {
      {"the epoch", WallTime{}, Level::info, 1, "I0101 00:00:00.000000 1 weir] "},
      {"two digits each",
       WallTime(sys_days(year(2001) / 2 / 3)) + 4h + 5min + 6s + 7us,
       Level::warn,
       12,
       "W0203 04:05:06.000007 12 weir] "},
      {"the last microsecond of a day",
       day + 24h - 1us,
       Level::error,
       4194304,
       "E1122 23:59:59.999999 4194304 weir] "},
      {"a part of a microsecond",
       day + std::chrono::duration_cast<WallTime::duration>(1'999ns),
       Level::info,
       7,
       "I1122 00:00:00.000001 7 weir] "},
      {"a leap day",
       WallTime(sys_days(year(2024) / 2 / 29)) + 12h + 120ms,
       Level::info,
       7,
       "I0229 12:00:00.120000 7 weir] "},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(log_prefix(row.time, row.level, row.pid) == row.prefix); }
  }
}

std::string json_of(std::string_view value) {
  return log_json(WallTime{}, Level::info, 0, "e", {{"f", value}});
}

TEST_CASE("a line of JSON has its time, level, verbosity, event and fields") {
  CHECK(log_json(WallTime{} + 1'700'000'000s + 42us,
                 Level::warn,
                 3,
                 "backend_down",
                 {{"backend", "prom"}, {"after_ms", 250}, {"share", 0.5}}) ==
        R"({"ts":1700000000.000042,"level":"warn","v":3,"msg":"backend_down",)"
        R"("backend":"prom","after_ms":250,"share":0.5})");
}

TEST_CASE("a number that JSON cannot represent is a text") {
  const auto infinite = std::numeric_limits<double>::infinity();

  const std::string line = log_json(WallTime{}, Level::error, 0, "e", {{"f", infinite}});

  CHECK(nlohmann::json::parse(line).at("f") == "inf");
}

TEST_CASE("S57: every line of JSON parses, is a line of ASCII, and contains the original value") {
  struct Row {
    std::string_view name;
    std::string_view value;
    std::string_view back;
  };
  const Row rows[] = {
      {"nothing", "", ""},
      {"quotes", R"(a","x":"b)", R"(a","x":"b)"},
      {"a backslash", R"(a\)", R"(a\)"},
      {"a line end", "a\n{}", "a\n{}"},
      {"a carriage return", "a\rb", "a\rb"},
      {"ANSI", "\x1b[2J", "\x1b[2J"},
      {"NUL", "a\0b"sv, "a\0b"sv},
      {"DEL", "\x7f", "\x7f"},
      {"digits are a text", "12", "12"},
      {"UTF-8", "\xc3\xa4", "\xc3\xa4"},
      {"a terminal's one-byte escape", "\xc2\x9b", "\xc2\x9b"},
      {"a line separator", "\xe2\x80\xa8", "\xe2\x80\xa8"},
      {"no UTF-8", "\xff", "\xef\xbf\xbd"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const std::string line = json_of(row.value);

      CHECK(nlohmann::json::parse(line).at("f") == std::string(row.back));
      CHECK(line.find_first_of("\n\r\x1b\x7f") == std::string::npos);
      CHECK(line.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace weir::server
