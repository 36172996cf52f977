// What parse_reply makes of Prometheus' own errors, of warnings, and of HTTP statuses.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using test::shown;

struct Reply {
  std::string_view name;
  long status;
  std::string body;
  std::string message;
};

void check(const Reply& row) {
  DYNAMIC_SECTION(row.name) {
    const auto sample = parse_reply(row.status, row.body, Aggregate::none, Warnings::error, {});

    CHECK(shown(sample) == row.message);
  }
}

std::string error(std::string_view type, std::string_view text) {
  return fmt::format(R"({{"status":"error","errorType":"{}","error":"{}"}})", type, text);
}

TEST_CASE("a failed query keeps Prometheus' own words") {
  const Reply rows[] = {
      {"bad_data",
       400,
       error("bad_data", "1:5: parse error: unclosed left parenthesis"),
       "bad_request: the query is not valid <1:5: parse error: unclosed left parenthesis>"},
      {"timeout",
       503,
       error("timeout", "query timed out in expression evaluation"),
       "timed_out: the query took too long there <query timed out in expression evaluation>"},
      {"canceled",
       503,
       error("canceled", "query was canceled"),
       "bad_reply: the query failed (canceled) <query was canceled>"},
      {"execution",
       422,
       error("execution", "multiple matches for labels"),
       "bad_reply: the query failed (execution) <multiple matches for labels>"},
      {"internal",
       500,
       error("internal", "no space left"),
       "bad_reply: the query failed (internal) <no space left>"},
      {"under HTTP 200", 200, error("bad_data", "x"), "bad_request: the query is not valid <x>"},
      {"without a type",
       400,
       R"({"status":"error","error":"x"})",
       "bad_reply: the query failed (no errorType) <x>"},
      {"without words",
       400,
       R"({"status":"error","errorType":"bad_data"})",
       "bad_request: the query is not valid"},
      {"words that are no text",
       400,
       R"({"status":"error","errorType":["bad_data"],"error":{"a":1}})",
       "bad_reply: the query failed (no errorType)"},
      {"an address in the words",
       422,
       error("execution", "dial tcp 10.1.2.3:9090: refused, see http://prom.ml:9090/x"),
       "bad_reply: the query failed (execution) <dial tcp [hidden]: refused, see [hidden]>"},
      {"a line end in the words",
       400,
       error("bad_data", R"(a\nb)"),
       "bad_request: the query is not valid <a b>"},
  };

  for (const Reply& row : rows) check(row);
}

TEST_CASE("a refusal in Prometheus' own form keeps its meaning and its words") {
  const Reply rows[] = {
      {"401",
       401,
       R"({"status":"error","error":"authentication error"})",
       "refused: the credentials are refused (HTTP 401) <authentication error>"},
      {"403",
       403,
       R"({"status":"error","errorType":"forbidden","error":"no"})",
       "refused: the credentials are refused (HTTP 403) <no>"},
      {"429",
       429,
       R"({"status":"error","errorType":"too_many_requests","error":"slow down"})",
       "overloaded: it refuses more questions for now (HTTP 429) <slow down>"},
      {"503, unavailable",
       503,
       R"({"status":"error","errorType":"unavailable","error":"starting"})",
       "unreachable: it is not able to answer <starting>"},
  };

  for (const Reply& row : rows) check(row);
}

TEST_CASE("an HTTP status without Prometheus' own error says what to look at") {
  const Reply rows[] = {
      {"401, plain",
       401,
       "no org id\n",
       "refused: the credentials are refused (HTTP 401) <no org id>"},
      {"401, empty", 401, "", "refused: the credentials are refused (HTTP 401)"},
      {"403, a page",
       403,
       "<html>Forbidden</html>",
       "refused: the credentials are refused (HTTP 403) <<html>Forbidden</html>>"},
      {"403, other JSON",
       403,
       R"({"message":"no"})",
       "refused: the credentials are refused (HTTP 403)"},
      {"404, plain",
       404,
       "404 page not found",
       "bad_reply: HTTP 404: no query API there; is the path in the url right?"},
      {"404, other JSON",
       404,
       R"({"message":"no"})",
       "bad_reply: HTTP 404: no query API there; is the path in the url right?"},
      {"429, plain",
       429,
       "slow down",
       "overloaded: it refuses more questions for now (HTTP 429) <slow down>"},
      {"301",
       301,
       "<a href=\"https://prom.ml/\">Moved</a>",
       "bad_reply: HTTP 301: redirects are not followed; write the final url"},
      {"302", 302, "", "bad_reply: HTTP 302: redirects are not followed; write the final url"},
      {"307, JSON",
       307,
       "{}",
       "bad_reply: HTTP 307: redirects are not followed; write the final url"},
      {"500, plain", 500, "oops", "unreachable: it is not able to answer (HTTP 500) <oops>"},
      {"503, plain",
       503,
       "Service Unavailable",
       "unreachable: it is not able to answer (HTTP 503) <Service Unavailable>"},
      {"503, other JSON", 503, R"({"x":1})", "unreachable: it is not able to answer (HTTP 503)"},
      {"a success under HTTP 500",
       500,
       R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})",
       "unreachable: it is not able to answer (HTTP 500)"},
      {"a success under HTTP 204",
       204,
       R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})",
       "bad_reply: HTTP 204 with something else than a query's answer"},
      {"400, plain", 400, "no", "bad_reply: HTTP 400 with something else than a query's answer"},
      {"no status", 0, "", "bad_reply: HTTP 0 with something else than a query's answer"},
  };

  for (const Reply& row : rows) check(row);
}

struct Warned {
  std::string_view name;
  Warnings warnings;
  std::string list;
  std::string message;
};

TEST_CASE("an answer with warnings counts only where the metric allows it") {
  const std::string partial =
      "partial: the answer comes with a warning and may be incomplete; set warnings: allow to take "
      "it all the same";
  const Warned rows[] = {
      {"one", Warnings::error, R"(["store x is down"])", partial + " <store x is down>"},
      {"the first of two", Warnings::error, R"(["a","b"])", partial + " <a>"},
      {"one that is no text", Warnings::error, "[1]", partial},
      {"none", Warnings::error, "[]", "a value"},
      {"null", Warnings::error, "null", "a value"},
      {"allowed", Warnings::allow, R"(["store x is down"])", "a value"},
  };

  for (const Warned& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto body = fmt::format(
          R"({{"status":"success","warnings":{},"data":{{"resultType":"scalar","result":[1,"2"]}}}})",
          row.list);

      const auto sample = parse_reply(200, body, Aggregate::none, row.warnings, {});

      CHECK(shown(sample) == row.message);
    }
  }
}

TEST_CASE("texts that are hidden show in no error") {
  const std::vector<std::string> hidden{"tok3n", "up{a='b'}", "prometheus"};
  const Reply rows[] = {
      {"in the words",
       400,
       error("bad_data", "bad up{a='b'} of prometheus with tok3n"),
       "bad_request: the query is not valid <bad [hidden] of [hidden] with [hidden]>"},
      {"in the type", 400, error("tok3n", "x"), "bad_reply: the query failed ([hidden]) <x>"},
      {"in a page",
       502,
       "Bearer tok3n",
       "unreachable: it is not able to answer (HTTP 502) <Bearer [hidden]>"},
      {"in a warning",
       200,
       R"({"status":"success","warnings":["store prometheus:10901"],"data":{}})",
       "partial: the answer comes with a warning and may be incomplete; set warnings: allow to "
       "take it all the same <store [hidden]>"},
  };

  for (const Reply& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto sample =
          parse_reply(row.status, row.body, Aggregate::none, Warnings::error, hidden);

      CHECK(shown(sample) == row.message);
    }
  }
}

TEST_CASE("a remote's words are bounded") {
  const auto sample = parse_reply(400,
                                  error("bad_data", std::string(10'000, 'x')),
                                  Aggregate::none,
                                  Warnings::error,
                                  {});

  REQUIRE(sample.has_error());
  CHECK(sample.error().remote == std::string(297, 'x') + "...");
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
