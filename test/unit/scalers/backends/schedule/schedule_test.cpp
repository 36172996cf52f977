#include "scalers/backends/schedule/plan.hpp"
#include "scalers/backends/schedule/settings.hpp"
#include "scalers/backends/schedule/time_zone.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::schedule {
namespace {

using Lines = std::vector<std::string>;

// Of "2026-12-01 08:00", in UTC.
WallTime utc(const std::string& text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<unsigned>(std::stoi(text.substr(at, size)));
  };
  return std::chrono::sys_days{std::chrono::year{static_cast<int>(number(0, 4))} /
                               std::chrono::month{number(5, 2)} / std::chrono::day{number(8, 2)}} +
         std::chrono::minutes{number(11, 2) * 60 + number(14, 2)};
}

Settings parsed(const std::string& zone, const std::string& windows) {
  Problems problems;
  Settings out = read_metric(
      test::node(fmt::format("{{timeZone: {}, windows: [{}], otherwise: 2}}", zone, windows)),
      problems);
  REQUIRE(problems.lines() == Lines{});
  return out;
}

double value_at(const Settings& settings, const std::string& time) {
  return state_at(settings.plan, settings.zone->reached_at(utc(time))).value;
}

TEST_CASE("the value of a schedule at a time") {
  struct Row {
    std::string_view name;
    std::string windows;
    std::string time;  // in UTC; Berlin is one hour later, two in summer
    double value;
  };
  const std::string office = "{days: mon-fri, from: '08:00', to: '18:00', value: 8}";
  const std::string crons = "{from: '0 8 * * 1-5', to: '0 18 * * 1-5', value: 8}";
  const std::string night = "{days: [fri], from: '22:00', to: '06:00', value: 5}";
  const std::string whole = "{days: sat-sun, from: '00:00', to: '24:00', value: 1}";
  const std::string wrap = "{days: 'fri-mon', from: '08:00', to: '09:00', value: 3}";
  const std::string peak = "{from: '12:00', to: '13:00', value: 20}";
  const std::string low = "{from: '12:00', to: '13:00', value: 1}";
  const std::string even = "{from: '0 */2 * * *', to: '0 1-23/2 * * *', value: 9}";
  const std::string monthly = "{from: '0 6 1 * *', to: '0 12 1 * *', value: 7}";
  const std::string gap = "{from: '02:15', to: '02:45', value: 4}";
  const std::string into_gap = "{from: '01:00', to: '02:30', value: 4}";
  const std::string from_gap = "{from: '02:30', to: '04:00', value: 4}";
  const std::string fold = "{from: '02:00', to: '03:00', value: 4}";
  const std::string into_fold = "{from: '01:00', to: '02:30', value: 4}";
  const std::string from_fold = "{from: '02:30', to: '04:00', value: 4}";
  const Row rows[] = {
      {"a minute before", office, "2026-12-01 06:59", 2},
      {"begins", office, "2026-12-01 07:00", 8},
      {"the last minute", office, "2026-12-01 16:59", 8},
      {"ends", office, "2026-12-01 17:00", 2},
      {"Saturday", office, "2026-12-05 09:00", 2},
      {"in summer", office, "2026-07-01 06:00", 8},
      {"cron: a minute before", crons, "2026-12-01 06:59", 2},
      {"cron: begins", crons, "2026-12-01 07:00", 8},
      {"cron: ends", crons, "2026-12-01 17:00", 2},
      {"cron: Saturday", crons, "2026-12-05 09:00", 2},
      {"over midnight, before", night, "2026-12-04 20:59", 2},
      {"over midnight, the evening", night, "2026-12-04 21:00", 5},
      {"over midnight, the morning", night, "2026-12-05 04:59", 5},
      {"over midnight, after", night, "2026-12-05 05:00", 2},
      {"over midnight, another morning", night, "2026-12-04 03:00", 2},
      {"whole days, before", whole, "2026-12-04 22:59", 2},
      {"whole days, between them", whole, "2026-12-05 23:00", 1},
      {"whole days, after", whole, "2026-12-06 23:00", 2},
      {"days over the week's end", wrap, "2026-12-06 07:30", 3},
      {"days over the week's end, outside", wrap, "2026-12-08 07:30", 2},
      {"of overlapping windows the largest", office + ", " + peak, "2026-12-01 11:30", 20},
      {"whatever their order", peak + ", " + office, "2026-12-01 11:30", 20},
      {"an open window beats otherwise", low, "2026-12-01 11:30", 1},
      {"even hours", even, "2026-12-01 07:59", 9},
      {"even hours, an odd one", even, "2026-12-01 08:00", 2},
      {"once a month", monthly, "2026-12-01 05:00", 7},
      {"once a month, another day", monthly, "2026-12-02 05:00", 2},
      // On 2026-03-29 Berlin goes from 02:00 to 03:00, at 01:00 UTC.
      {"within the skipped hour, before", gap, "2026-03-29 00:59", 2},
      {"within the skipped hour, after", gap, "2026-03-29 01:00", 2},
      {"ends in the skipped hour, before", into_gap, "2026-03-29 00:59", 4},
      {"ends in the skipped hour, after", into_gap, "2026-03-29 01:00", 2},
      {"begins in the skipped hour, before", from_gap, "2026-03-29 00:59", 2},
      {"begins in the skipped hour, after", from_gap, "2026-03-29 01:00", 4},
      {"begins in the skipped hour, its end", from_gap, "2026-03-29 02:00", 2},
      // On 2026-10-25 Berlin goes from 03:00 to 02:00, at 01:00 UTC.
      {"the repeated hour, before", fold, "2026-10-24 23:59", 2},
      {"the repeated hour, once", fold, "2026-10-25 00:00", 4},
      {"the repeated hour, twice", fold, "2026-10-25 01:30", 4},
      {"the repeated hour, after", fold, "2026-10-25 02:00", 2},
      {"ends in the repeated hour, before", into_fold, "2026-10-25 00:29", 4},
      {"ends in the repeated hour, at the first", into_fold, "2026-10-25 00:30", 2},
      {"ends in the repeated hour, not again", into_fold, "2026-10-25 01:10", 2},
      {"begins in the repeated hour, before", from_fold, "2026-10-25 00:29", 2},
      {"begins in the repeated hour, at the first", from_fold, "2026-10-25 00:30", 4},
      {"begins in the repeated hour, goes on", from_fold, "2026-10-25 01:10", 4},
      {"begins in the repeated hour, its end", from_fold, "2026-10-25 03:00", 2},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(value_at(parsed("Europe/Berlin", row.windows), row.time) == row.value);
    }
  }
}

TEST_CASE("a zone may skip a day, and turn its clocks by half an hour") {
  // Samoa had no 2011-12-30.
  const Settings samoa =
      parsed("Pacific/Apia", "{from: '0 8 30 12 *', to: '0 9 31 12 *', value: 6}");
  CHECK(value_at(samoa, "2011-12-30 09:59") == 2);
  CHECK(value_at(samoa, "2011-12-30 10:00") == 6);
  CHECK(value_at(samoa, "2011-12-30 19:00") == 2);

  // Lord Howe goes from 02:00 to 01:30 on 2026-04-05, at 15:00 UTC of the day before.
  const Settings lord_howe =
      parsed("Australia/Lord_Howe", "{from: '01:45', to: '02:00', value: 6}");
  CHECK(value_at(lord_howe, "2026-04-04 14:44") == 2);
  CHECK(value_at(lord_howe, "2026-04-04 14:45") == 6);
  CHECK(value_at(lord_howe, "2026-04-04 15:29") == 6);
  CHECK(value_at(lord_howe, "2026-04-04 15:30") == 2);
}

TEST_CASE("the next change is the next other value") {
  struct Row {
    std::string_view name;
    std::string windows;
    std::string now;
    std::string_view change;
  };
  const Row rows[] = {
      {"begins",
       "{days: mon-fri, from: '08:00', to: '18:00', value: 8}",
       "2026-12-05 09:00",
       "Mon 2026-12-07 08:00 CET: 8"},
      {"ends",
       "{days: mon-fri, from: '08:00', to: '18:00', value: 8}",
       "2026-12-01 09:00",
       "Tue 2026-12-01 18:00 CET: 2"},
      {"a window within it changes nothing",
       "{from: '08:00', to: '18:00', value: 8}, {from: '09:00', to: '10:00', value: 3}",
       "2026-12-01 07:30",
       "Tue 2026-12-01 18:00 CET: 2"},
      {"a larger one does",
       "{from: '08:00', to: '18:00', value: 8}, {from: '09:00', to: '10:00', value: 9}",
       "2026-12-01 07:30",
       "Tue 2026-12-01 09:00 CET: 9"},
      {"in the skipped hour",
       "{from: '02:30', to: '04:00', value: 4}",
       "2026-03-29 00:30",
       "Sun 2026-03-29 03:00 CEST: 4"},
      {"not within the skipped hour, where no window opens",
       "{from: '02:15', to: '02:45', value: 4}",
       "2026-03-29 00:30",
       "Mon 2026-03-30 02:15 CEST: 4"},
      {"nor at its end, where a window begins again",
       "{from: '03:00', to: '02:59', value: 4}",
       "2026-03-29 00:30",
       "Mon 2026-03-30 02:59 CEST: 2"},
      {"after many times of a smaller window",
       "{days: mon-sat, from: '00:00', to: '24:00', value: 8}, {from: '*/2 * * * *', to: '1-59/2 * "
       "* * *', value: 3}",
       "2026-12-01 09:00",
       "Sun 2026-12-06 00:00 CET: 3"},
      {"after many times that begin nothing",
       "{from: '* 8-17 * * *', to: '0 18 1 * *', value: 4}",
       "2026-12-02 09:00",
       "Fri 2027-01-01 18:00 CET: 2"},
      {"a smaller window after one like otherwise",
       "{from: '08:00', to: '18:00', value: 2}, {from: '17:00', to: '19:00', value: 1}",
       "2026-12-01 09:00",
       "Tue 2026-12-01 18:00 CET: 1"},
      {"always open",
       "{from: '00:00', to: '24:00', value: 4}",
       "2026-12-01 09:00",
       "Fri 2028-04-14 00:00 CEST: the same"},
      {"the same value",
       "{from: '08:00', to: '18:00', value: 2}",
       "2026-12-01 09:00",
       "Sun 2027-08-08 08:00 CEST: the same"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Settings settings = parsed("Europe/Berlin", row.windows);

      const auto change =
          next_change(settings.plan, *settings.zone, settings.zone->reached_at(utc(row.now)));

      REQUIRE(change);
      CHECK(fmt::format("{}: {}",
                        settings.zone->text_of(settings.zone->instant_of(change->at)),
                        change->then ? fmt::to_string(change->then->value) : "the same") ==
            row.change);
    }
  }
}

TEST_CASE("a schedule with a mistake says what to write instead") {
  struct Row {
    std::string_view name;
    std::string block;
    std::string_view problem;
  };
  const auto with = [](std::string_view window) {
    return fmt::format("{{timeZone: UTC, windows: [{}], otherwise: 0}}", window);
  };
  const std::string valid = "windows: [{from: '08:00', to: '18:00', value: 1}], otherwise: 0";
  const Row rows[] = {
      {"no time zone",
       "{" + valid + "}",
       "a schedule needs timeZone: time zone of all times by its IANA name, such as Europe/Berlin "
       "or "
       "UTC"},
      {"a misspelt zone",
       "{timeZone: Amerika/New_York, " + valid + "}",
       "there is no time zone \"Amerika/New_York\"; did you mean \"America/New_York\"?"},
      {"hours ahead of UTC",
       "{timeZone: UTC+2, " + valid + "}",
       "there is no time zone \"UTC+2\"; write Etc/GMT-2 (the IANA database has the opposite "
       "sign), "
       "or a place such as Europe/Berlin, which has daylight saving time"},
      {"hours as an offset",
       "{timeZone: '-05:00', " + valid + "}",
       "there is no time zone \"-05:00\"; write Etc/GMT+5 (the IANA database has the opposite "
       "sign), "
       "or a place such as Europe/Berlin, which has daylight saving time"},
      {"two slashes",
       "{timeZone: Europe//Berlin, " + valid + "}",
       "there is no time zone \"Europe//Berlin\"; did you mean \"Europe/Berlin\", "
       "\"Europe/Dublin\" or \"Europe/Jersey\"?"},
      {"a file that is no zone",
       "{timeZone: ../../../etc/passwd, " + valid + "}",
       "there is no time zone \"../../../etc/passwd\"; write a name of the IANA database, such as "
       "Europe/Berlin or UTC"},
      {"the zone of the machine",
       "{timeZone: localtime, " + valid + "}",
       "there is no time zone \"localtime\"; write a name of the IANA database, such as "
       "Europe/Berlin or UTC"},
      {"no windows",
       "{timeZone: UTC, windows: [], otherwise: 0}",
       "windows is empty; write at least one, such as - {days: mon-fri, from: \"08:00\", to: "
       "\"18:00\", value: 8}"},
      {"no list",
       "{timeZone: UTC, windows: {a: b}, otherwise: 0}",
       "expected a list of windows; found a map; write - {days: mon-fri, from: \"08:00\", to: "
       "\"18:00\", value: 8}"},
      {"no otherwise",
       "{timeZone: UTC, windows: [{from: '08:00', to: '18:00', value: 1}]}",
       "a schedule needs otherwise: the number while no window is open"},
      {"no value",
       with("{from: '08:00', to: '18:00'}"),
       "a window of a schedule needs value: the number while it is open"},
      {"a negative value",
       with("{from: '08:00', to: '18:00', value: -1}"),
       "value must be 0 or more; write value: 0"},
      {"no such time",
       with("{from: '8:00', to: '18:00', value: 1}"),
       "\"8:00\" is not a valid time; write 00:00 to 23:59"},
      {"beyond midnight",
       with("{from: '08:00', to: '24:01', value: 1}"),
       "\"24:01\" is not a valid time; write 00:00 to 24:00"},
      {"begins at its end",
       with("{from: '08:00', to: '08:00', value: 1}"),
       "from and to are both 08:00; for whole days write from: \"00:00\" and to: \"24:00\""},
      {"equal crons",
       with("{from: '0 8 * * 0', to: '0 8 * * sun', value: 1}"),
       "the window never ends, because from comes at every time of to; write another time for to"},
      {"equal crons in other words",
       with("{from: '0 8 * * *', to: '0 8 * * 0-7', value: 1}"),
       "the window never ends, because from comes at every time of to; write another time for to"},
      {"an end that is always a beginning",
       with("{from: '*/5 * * * *', to: '0 18 * * 1-5', value: 1}"),
       "the window never ends, because from comes at every time of to; write another time for to"},
      {"a value that no HPA can read",
       with("{from: '08:00', to: '18:00', value: 1e300}"),
       "value must be below 9.2e15, the largest value an HPA can read"},
      {"a time without a colon",
       with("{from: '0800', to: '18:00', value: 1}"),
       "\"0800\" is not a valid time; write 00:00 to 23:59"},
      {"a time with a blank",
       with("{from: '08:00', to: '18:00 ', value: 1}"),
       "\"18:00 \" is not a valid time; write 00:00 to 24:00"},
      {"both notations",
       with("{from: '08:00', to: '0 18 * * *', value: 1}"),
       "from and to are a time and a cron expression; write two times, or two cron expressions"},
      {"days of a cron",
       with("{days: mon, from: '0 8 * * *', to: '0 18 * * *', value: 1}"),
       "a cron expression has its own days; remove days, or write times such as 08:00"},
      {"no such day",
       with("{days: [mon, tues], from: '08:00', to: '18:00', value: 1}"),
       "expected a day; found \"tues\"; write sun, mon, tue, wed, thu, fri or sat, or a range such "
       "as mon-fri"},
      {"no days",
       with("{days: [], from: '08:00', to: '18:00', value: 1}"),
       "days is empty; write sun, mon, tue, wed, thu, fri or sat, or a range such as mon-fri"},
      {"a field of a cron",
       with("{from: '61 * * * *', to: '0 18 * * *', value: 1}"),
       "\"61\" is not a valid minute in \"61 * * * *\": write 0 to 59"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Problems problems;

      static_cast<void>(read_metric(test::node(row.block), problems));

      REQUIRE(problems.size() == 1);
      CHECK(problems.all().front().what == row.problem);
    }
  }
}

}  // namespace
}  // namespace weir::scalers::backends::schedule
