// The series of a response are held against the query, as far as a selector alone says what they
// are.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/promql/selectors.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using promql::equality_matchers;
using promql::Matcher;
using test::shown;

TEST_CASE("the matchers for equality are those of a query that is one selector alone") {
  struct Row {
    std::string_view name;
    std::string_view query;
    std::vector<std::string> matchers;
  };
  const Row rows[] = {
      {"a name", "up", {"__name__=up"}},
      {"blanks around", "  up\n", {"__name__=up"}},
      {"matchers",
       R"(up{job="a", env=~"x", pod!="y", zone=`b\`, rack='c'})",
       {"job=a", "rack=c", "__name__=up"}},
      {"the name as a matcher", R"({__name__="up",job=""})", {"__name__=up", "job="}},
      {"an escape", R"(up{job="a\x41"})", {"__name__=up"}},
      {"MetricsQL's or", R"(up{job="a" or job="b"})", {}},
      {"a function", R"(sum(up{job="a"}))", {}},
      {"an offset", R"(up{job="a"} offset 1m)", {}},
      {"a sum", R"(up{job="a"}+up{job="b"})", {}},
      {"nothing", "", {}},
      {"blanks", " ", {}},
      {"a number", "1", {}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::vector<std::string> matchers;
      for (const Matcher& matcher : equality_matchers(row.query))
        matchers.push_back(matcher.label + matcher.op + matcher.value);

      CHECK(matchers == row.matchers);
    }
  }
}

TEST_CASE("a series of another selection than the query's is an error") {
  const auto reply = [](std::string_view metric, std::string_view query) {
    const std::string body = fmt::format(
        R"({{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{},"value":[1,"5"]}}]}}}})",
        metric);
    return shown(
        parse_reply(200, body, Aggregate::sum, Warnings::error, {}, equality_matchers(query)));
  };

  CHECK(reply(R"({"__name__":"len","queue":"a","pod":"p"})", R"(len{queue="a"})") == "a value");
  CHECK(reply(R"({})", R"(len{queue="a"})") == "a value");
  CHECK(reply(R"({"queue":"b"})", R"(sum by (queue) (len{queue="a"}))") == "a value");
  CHECK(reply(R"({"__name__":"len","queue":"b"})", R"(len{queue="a"})") ==
        "bad_reply: the response has a series with queue=\"b\", and the query selects queue=\"a\"; "
        "does a proxy change the query, or answer from its cache?");
  CHECK(reply(R"({"__name__":"age"})", "len") ==
        "bad_reply: the response has a series with __name__=\"age\", and the query selects len; "
        "does a proxy change the query, or answer from its cache?");
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
