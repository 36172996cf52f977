// The age of the data that a query is computed from: the selector, its query, and the limit.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <string_view>

namespace weir::scalers::backends::prometheus {
namespace {

using namespace std::chrono_literals;
using promql::is_selector;

struct Text {
  std::string_view name;
  std::string_view text;
};

TEST_CASE("a plain selector is accepted") {
  const Text rows[] = {
      {"a name", "up"},
      {"a recorded name", "job:up:sum"},
      {"matchers", R"(up{job="a",pod=~"x.*"})"},
      {"matchers alone", R"({__name__="up"})"},
      {"a brace in a string", R"(up{job="a}b"})"},
      {"a quote in a string", R"(up{job="a\"}b"})"},
      {"other quotes", R"(up{job='a"}',pod=`b\`})"},
      {"no matcher", "up{}"},
      {"blanks inside", R"(up{ job = "a" })"},
      {"a blank in front of the matchers", R"(up {job="a"})"},
      {"a name in quotes", R"({"my.metric"})"},
      {"a parameter", R"q(up{job="$(job)"})q"},
  };

  for (const Text& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(is_selector(row.text)); }
  }
}

TEST_CASE("a computed value is not a selector, because it would never be old") {
  const Text rows[] = {
      {"nothing", ""},
      {"a number", "1"},
      {"a digit first", "1up"},
      {"a function", "rate(up[1m])"},
      {"a function that looks like matchers", R"(up{job="a"} or vector(1))"},
      {"a range", "up[5m]"},
      {"a range after matchers", R"(up{job="a"}[5m])"},
      {"an offset", "up offset 5m"},
      {"an offset after matchers", R"(up{job="a"} offset 1m)"},
      {"a time", "up @ 5"},
      {"an addition", "up + up"},
      {"an addition of selectors", R"(up{job="a"}+up{job="b"})"},
      {"no end", R"(up{job="a")"},
      {"no end of its string", R"(up{job="a})"},
      {"a bracket too many", R"(up{job="a"}))"},
      {"a comment", "up # "},
      {"a comment after matchers", "up{} # x"},
      {"NaN", "NaN"},
      {"brackets", "(up)"},
  };

  for (const Text& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK_FALSE(is_selector(row.text)); }
  }
}

TEST_CASE("the age is that of the newest sample") {
  CHECK(age_query(R"(up{job="a"})") == R"(time() - max(timestamp(up{job="a"})))");
}

Result<Sample> age_of(double seconds) { return Sample{seconds, WallTime{}}; }

TEST_CASE("an age within the limit is accepted, to the millisecond") {
  struct Row {
    std::string_view name;
    double seconds;
    Duration age;
  };
  const Row rows[] = {
      {"now", 0, 0ms},
      {"a little ahead of the server's clock", -0.5, 0ms},
      {"younger", 12.3, 12'300ms},
      {"as old as it may be", 30, 30s},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto age = check_age(age_of(row.seconds), 30s);

      REQUIRE(age.has_value());
      CHECK(age->age == row.age);
      CHECK(age->limit == 30s);
    }
  }
}

TEST_CASE("data that is too old, or of unknown age, is an error") {
  struct Row {
    std::string_view name;
    Result<Sample> reply;
    std::string message;
  };
  const Row rows[] = {
      {"a millisecond too old",
       age_of(30.001),
       "stale: the newest sample of ageOf is 30 s old, and maxAge is 30 s; is the target still "
       "scraped?"},
      {"minutes too old",
       age_of(271.6),
       "stale: the newest sample of ageOf is 271.6 s old, and maxAge is 30 s; is the target still "
       "scraped?"},
      {"no sample at all",
       Error{Errc::no_value, "the query matches no series", ""},
       "stale: ageOf matches no series with a sample within the lookback delta (5 minutes by "
       "default); is the "
       "target scraped?"},
      {"NaN",
       age_of(std::numeric_limits<double>::quiet_NaN()),
       "bad_reply: the newest sample of ageOf is nan s old, which is not a valid age"},
      {"infinite",
       age_of(std::numeric_limits<double>::infinity()),
       "bad_reply: the newest sample of ageOf is inf s old, which is not a valid age"},
      {"far in the future",
       age_of(-60),
       "bad_reply: the newest sample of ageOf is -60 s old, which is not a valid age"},
      {"an invalid selector",
       Error{Errc::bad_request, "the query is not valid", "parse error"},
       "bad_request: ageOf: the query is not valid <parse error>"},
      {"a server that is gone", Error{Errc::unreachable, "gone", ""}, "unreachable: ageOf: gone"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(test::shown(check_age(row.reply, 30s)) == row.message); }
  }
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
