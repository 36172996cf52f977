#include "scalers/backends/schedule/cron.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers::backends::schedule {
namespace {

using std::chrono::day;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::year;

// Of "2026-12-01 08:00".
LocalMinute minute_of(const std::string& text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<unsigned>(std::stoi(text.substr(at, size)));
  };
  return local_days{year{static_cast<int>(number(0, 4))} / month{number(5, 2)} /
                    day{number(8, 2)}} +
         minutes{number(11, 2) * 60 + number(14, 2)};
}

std::string text_of(const std::optional<LocalMinute>& time) {
  if (!time) return "never";
  const auto of = std::chrono::floor<std::chrono::days>(*time);
  const std::chrono::year_month_day date{of};
  const auto time_of_day = (*time - of).count();
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     time_of_day / 60,
                     time_of_day % 60);
}

Cron valid(std::string_view text) {
  auto parsed = Cron::parse(text);
  if (const auto* invalid = std::get_if<Cron::Invalid>(&parsed)) FAIL(invalid->why);
  return std::get<Cron>(std::move(parsed));
}

TEST_CASE("a cron expression comes before and after a time") {
  struct Row {
    std::string_view name;
    std::string_view cron;
    std::string now;
    std::string last;  // that is not after it
    std::string next;
  };
  // 2026-12-01 is a Tuesday.
  const Row rows[] = {
      {"every minute", "* * * * *", "2026-12-01 09:12", "2026-12-01 09:12", "2026-12-01 09:13"},
      {"a time", "30 8 * * *", "2026-12-01 08:30", "2026-12-01 08:30", "2026-12-02 08:30"},
      {"a minute before", "30 8 * * *", "2026-12-01 08:29", "2026-11-30 08:30", "2026-12-01 08:30"},
      {"a step", "*/20 * * * *", "2026-12-01 09:21", "2026-12-01 09:20", "2026-12-01 09:40"},
      {"a step from", "5/20 * * * *", "2026-12-01 09:50", "2026-12-01 09:45", "2026-12-01 10:05"},
      {"a range with step",
       "0 8-18/5 * * *",
       "2026-12-01 14:00",
       "2026-12-01 13:00",
       "2026-12-01 18:00"},
      {"a list", "0 8,12 * * *", "2026-12-01 11:59", "2026-12-01 08:00", "2026-12-01 12:00"},
      {"weekdays", "0 8 * * 1-5", "2026-12-05 09:00", "2026-12-04 08:00", "2026-12-07 08:00"},
      {"names", "0 8 * JAN-mar Mon", "2026-12-05 09:00", "2026-03-30 08:00", "2027-01-04 08:00"},
      {"Sunday as 0", "0 8 * * 0", "2026-12-01 00:00", "2026-11-29 08:00", "2026-12-06 08:00"},
      {"Sunday as 7", "0 8 * * 7", "2026-12-01 00:00", "2026-11-29 08:00", "2026-12-06 08:00"},
      {"a range to Sunday",
       "0 8 * * sat-sun",
       "2026-12-06 09:00",
       "2026-12-06 08:00",
       "2026-12-12 08:00"},
      {"a question mark", "0 8 1 * ?", "2026-12-01 09:00", "2026-12-01 08:00", "2027-01-01 08:00"},
      {"either day", "0 8 15 * fri", "2026-12-12 00:00", "2026-12-11 08:00", "2026-12-15 08:00"},
      {"a step of days restricts them",
       "0 0 */10 * fri",
       "2026-12-02 00:00",
       "2026-12-01 00:00",
       "2026-12-04 00:00"},
      {"days that most months lack",
       "0 0 31 * *",
       "2026-12-01 00:00",
       "2026-10-31 00:00",
       "2026-12-31 00:00"},
      {"a leap day", "0 0 29 2 *", "2026-12-01 00:00", "2024-02-29 00:00", "2028-02-29 00:00"},
      {"no leap day in 2100",
       "0 0 29 2 *",
       "2096-03-01 00:00",
       "2096-02-29 00:00",
       "2104-02-29 00:00"},
      {"blanks", "  0\t8  * * *  ", "2026-12-01 09:00", "2026-12-01 08:00", "2026-12-02 08:00"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Cron cron = valid(row.cron);

      CHECK(text_of(cron.last_until(minute_of(row.now))) == row.last);
      CHECK(text_of(cron.next_after(minute_of(row.now))) == row.next);
    }
  }
}

TEST_CASE("an invalid cron expression is an error that names the field and its range") {
  struct Row {
    std::string_view cron;
    std::string_view why;
  };
  const Row rows[] = {
      {"61 * * * *", "\"61\" is not a valid minute in \"61 * * * *\": write 0 to 59"},
      {"0 24 * * *", "\"24\" is not a valid hour in \"0 24 * * *\": write 0 to 23"},
      {"0 0 0 * *", "\"0\" is not a valid day of the month in \"0 0 0 * *\": write 1 to 31"},
      {"0 0 * 13 *", "\"13\" is not a valid month in \"0 0 * 13 *\": write 1 to 12, or jan to dec"},
      {"0 0 * * 8",
       "\"8\" is not a valid day of the week in \"0 0 * * 8\": write 0 to 7 (0 and "
       "7 "
       "are Sunday), or sun to sat"},
      {"0 0 * * mo",
       "\"mo\" is not a valid day of the week in \"0 0 * * mo\": write 0 to 7 (0 "
       "and "
       "7 are Sunday), or sun to sat"},
      {"0 18-8 * * *",
       "\"18-8\" is not a valid hour in \"0 18-8 * * *\": write the smaller number of a range "
       "first, or two ranges and a comma"},
      {"*/0 * * * *", "\"*/0\" is not a valid minute in \"*/0 * * * *\": write a step of 1 to 59"},
      {"*/60 * * * *",
       "\"*/60\" is not a valid minute in \"*/60 * * * *\": write a step of 1 to 59"},
      {"1,,2 * * * *", "\"\" is not a valid minute in \"1,,2 * * * *\": write 0 to 59"},
      {"-1 * * * *", "\"-1\" is not a valid minute in \"-1 * * * *\": write 0 to 59"},
      {"1-2-3 * * * *", "\"1-2-3\" is not a valid minute in \"1-2-3 * * * *\": write 0 to 59"},
      {"99999999999 * * * *",
       "\"99999999999\" is not a valid minute in \"99999999999 * * * *\": write 0 to 59"},
      {"0 8 * *",
       "\"0 8 * *\" has 4 fields; a cron expression has 5: minute, hour, day of the month, month "
       "and "
       "day of the week, such as \"0 8 * * 1-5\""},
      {"0 0 8 * * *",
       "\"0 0 8 * * *\" has 6 fields; a cron expression has 5: minute, hour, day of the month, "
       "month "
       "and day of the week, such as \"0 8 * * 1-5\""},
      {"8",
       "\"8\" has 1 field; a cron expression has 5: minute, hour, day of the month, month and day "
       "of "
       "the week, such as \"0 8 * * 1-5\""},
      {"@daily", "\"@daily\" is not a cron expression of five fields; write \"0 0 * * *\""},
      {"@HOURLY", "\"@HOURLY\" is not a cron expression of five fields; write \"0 * * * *\""},
      {"@every 5m",
       "\"@every 5m\" is not a cron expression of five fields; write its fields, such as \"0 0 * * "
       "*\" for @daily"},
      {"0 0 31 2,4 *", "\"0 0 31 2,4 *\" never comes, because its months have no such day"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.cron) {
      const auto parsed = Cron::parse(row.cron);

      REQUIRE(std::holds_alternative<Cron::Invalid>(parsed));
      CHECK(std::get<Cron::Invalid>(parsed).why == row.why);
    }
  }
}

TEST_CASE("a cron expression may come only with another one") {
  CHECK(valid("0 8 * * 0-7").comes_only_with(valid("0 8 * * *")));
  CHECK(valid("0 18 * * 1-5").comes_only_with(valid("*/5 * * * *")));
  CHECK(valid("0 8 1 1 *").comes_only_with(valid("0 8 1 * fri")));
  CHECK_FALSE(valid("0 8 1 * fri").comes_only_with(valid("0 8 1 * *")));
  CHECK_FALSE(valid("0 18 * * *").comes_only_with(valid("* 8-17 * * *")));
  CHECK_FALSE(valid("1 8 * * *").comes_only_with(valid("0 8 * * *")));
  CHECK_FALSE(valid("0 8 * * *").comes_only_with(valid("0 8 * 1-11 *")));
}

TEST_CASE("a time of some days is the same as its cron expression") {
  const Weekdays weekend{0b1000001};

  CHECK(Cron::weekly(weekend, minutes{8 * 60 + 5}).matches(minute_of("2026-12-06 08:05")));
  CHECK_FALSE(Cron::weekly(weekend, minutes{8 * 60 + 5}).matches(minute_of("2026-12-07 08:05")));
  CHECK(Cron::weekly(Weekdays{}.set(), minutes{0}) == valid("0 0 * * *"));
  CHECK(weekday_of("Tuesday") == 2U);
  CHECK(weekday_of("SUN") == 0U);
  CHECK_FALSE(weekday_of("tues"));
}

}  // namespace
}  // namespace weir::scalers::backends::schedule
