#include "apiservice/encoding/time.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::apiservice {
namespace {

using namespace std::chrono_literals;

WallTime at(std::int64_t seconds, std::int64_t milliseconds = 0) {
  return WallTime{std::chrono::seconds{seconds} + std::chrono::milliseconds{milliseconds}};
}

TEST_CASE("case 57: a time has whole seconds, cut off, and a Z") {
  struct Row {
    std::string_view name;
    WallTime time;
    std::string_view text;
  };
  const Row rows[] = {
      {"the epoch", at(0), "1970-01-01T00:00:00Z"},
      {"a millisecond before a second", at(59, 999), "1970-01-01T00:00:59Z"},
      {"two digits each", at(981'173'106), "2001-02-03T04:05:06Z"},
      {"a leap day", at(1'709'251'199), "2024-02-29T23:59:59Z"},
      {"the day after it", at(1'709'251'200), "2024-03-01T00:00:00Z"},
      {"no leap day in 2100", at(4'107'542'400), "2100-03-01T00:00:00Z"},
      {"beyond 32 bits", at(4'294'967'296), "2106-02-07T06:28:16Z"},
      {"before the epoch", at(-1), "1969-12-31T23:59:59Z"},
      {"a part of a second before the epoch", at(0, -1), "1969-12-31T23:59:59Z"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string out = "before ";
      append_rfc3339(out, row.time);
      CHECK(out == "before " + std::string(row.text));
      CHECK(rfc3339(row.time) == row.text);
    }
  }
}

TEST_CASE("a time is read to the second") {
  const auto day = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));

  CHECK(parse_rfc3339("2026-11-22T06:40:01Z") == day + 6h + 40min + 1s);
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == at(0));
  CHECK(parse_rfc3339("1969-12-31T23:59:59Z") == at(-1));
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z") == at(1'709'164'800));
  CHECK(parse_rfc3339("2016-12-31T23:59:60Z") == parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST_CASE("a text that is not a UTC time with whole seconds is an error") {
  struct Row {
    std::string_view name;
    std::string_view text;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"no time of day", "2026-11-22"},
      {"month 13", "2026-13-22T06:40:01Z"},
      {"month 0", "2026-00-22T06:40:01Z"},
      {"no leap day in 2026", "2026-02-29T06:40:01Z"},
      {"hour 24", "2026-11-22T24:00:00Z"},
      {"minute 60", "2026-11-22T06:60:01Z"},
      {"second 61", "2026-11-22T06:40:61Z"},
      {"one digit", "2026-11-22T6:40:01Z"},
      {"a sign", "2026-11-22T+6:40:01Z"},
      {"a space first", " 2026-11-22T06:40:0Z"},
      {"a fraction", "2026-11-22T06:40:01.5Z"},
      {"another zone", "2026-11-22T06:40:01+01:00"},
      {"no zone", "2026-11-22T06:40:01"},
      {"more text", "2026-11-22T06:40:01Zx"},
      {"after WallTime ends", "9999-12-31T23:59:59Z"},
      {"before WallTime begins", "0001-01-01T00:00:00Z"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK_FALSE(parse_rfc3339(row.text)); }
  }
}

}  // namespace
}  // namespace weir::apiservice
