// parse_reply() with Prometheus' own errors, warnings, and HTTP statuses.
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

TEST_CASE("a failed query has Prometheus' own text") {
  const Reply rows[] = {
      {"bad_data",
       400,
       error("bad_data", "1:5: parse error: unclosed left parenthesis"),
       "bad_request: the query is not valid <1:5: parse error: unclosed left parenthesis>"},
      {"timeout",
       503,
       error("timeout", "query timed out in expression evaluation"),
       "timed_out: the query timed out on the server <query timed out in expression evaluation>"},
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
      {"without a text",
       400,
       R"({"status":"error","errorType":"bad_data"})",
       "bad_request: the query is not valid"},
      {"an error that is not a string",
       400,
       R"({"status":"error","errorType":["bad_data"],"error":{"a":1}})",
       "bad_reply: the query failed (no errorType)"},
      {"an address in the text",
       422,
       error("execution", "dial tcp 10.1.2.3:9090: refused, see http://prom.ml:9090/x"),
       "bad_reply: the query failed (execution) <dial tcp [hidden]: refused, see [hidden]>"},
      {"a line end in the text",
       400,
       error("bad_data", R"(a\nb)"),
       "bad_request: the query is not valid <a b>"},
  };

  for (const Reply& row : rows) check(row);
}

TEST_CASE("an error in Prometheus' format has its own meaning and text") {
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
       "overloaded: the server is rate limiting queries (HTTP 429) <slow down>"},
      {"503, unavailable",
       503,
       R"({"status":"error","errorType":"unavailable","error":"starting"})",
       "unreachable: the server is unavailable <starting>"},
  };

  for (const Reply& row : rows) check(row);
}

TEST_CASE("an HTTP status without Prometheus' own error says what to check") {
  const Reply rows[] = {
      {"401, plain",
       401,
       "no org id\n",
       "refused: the credentials are refused (HTTP 401) <no org id>"},
      {"401, empty", 401, "", "refused: the credentials are refused (HTTP 401)"},
      {"403, a page",
       403,
       "<html>Forbidden</html>",
       "refused: the credentials are refused (HTTP 403) <Forbidden>"},
      {"403, other JSON",
       403,
       R"({"message":"no"})",
       "refused: the credentials are refused (HTTP 403) <no>"},
      {"404, plain",
       404,
       "404 page not found",
       "bad_reply: HTTP 404: no query API at this url; is the path right? <404 page not found>"},
      {"404, other JSON",
       404,
       R"({"message":"no"})",
       "bad_reply: HTTP 404: no query API at this url; is the path right? <no>"},
      {"404, empty", 404, "", "bad_reply: HTTP 404: no query API at this url; is the path right?"},
      {"405",
       405,
       "Method Not Allowed",
       "bad_reply: HTTP 405: the server refuses the HTTP method; set method: GET or method: POST "
       "on the backend <Method Not Allowed>"},
      {"429, plain",
       429,
       "slow down",
       "overloaded: the server is rate limiting queries (HTTP 429) <slow down>"},
      {"301",
       301,
       "<a href=\"https://prom.ml/\">Moved</a>",
       "bad_reply: HTTP 301: redirects are not followed; write the final url"},
      {"302", 302, "", "bad_reply: HTTP 302: redirects are not followed; write the final url"},
      {"307, JSON",
       307,
       "{}",
       "bad_reply: HTTP 307: redirects are not followed; write the final url"},
      {"500, plain", 500, "oops", "unreachable: the server returned an error (HTTP 500) <oops>"},
      {"503, plain",
       503,
       "Service Unavailable",
       "unreachable: the server returned an error (HTTP 503) <Service Unavailable>"},
      {"503, other JSON",
       503,
       R"({"x":1})",
       "unreachable: the server returned an error (HTTP 503) <{\"x\":1}>"},
      {"a success under HTTP 500",
       500,
       R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})",
       "unreachable: the server returned an error (HTTP 500)"},
      {"a success under HTTP 204",
       204,
       R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})",
       "bad_reply: HTTP 204 without a query result"},
      {"400, plain", 400, "no", "bad_reply: HTTP 400 without a query result <no>"},
      {"no status", 0, "", "bad_reply: HTTP 0 without a query result"},
  };

  for (const Reply& row : rows) check(row);
}

struct Warned {
  std::string_view name;
  Warnings warnings;
  std::string list;
  std::string message;
};

TEST_CASE("a response with warnings is accepted only with warnings: allow") {
  const std::string partial =
      "partial: the response has a warning and may be incomplete; set warnings: allow to accept "
      "such responses";
  const Warned rows[] = {
      {"one", Warnings::error, R"(["store x is down"])", partial + " <store x is down>"},
      {"the first of two", Warnings::error, R"(["a","b"])", partial + " <a>"},
      {"one that is not a string", Warnings::error, "[1]", partial},
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

// Field reports 1 and 10. What tells a part of the data from all of it, in the forms of several
// servers of the query API.
TEST_CASE("a response that says of itself that it is partial is an error unless it is allowed") {
  struct Row {
    std::string_view name;
    long status;
    std::string members;
    Warnings warnings;
    std::string message;
  };
  const std::string partial =
      "partial: the response is partial: a part of the server did not respond; set warnings: allow "
      "to accept such responses";
  const std::string warned =
      "partial: the response has a warning and may be incomplete; set warnings: allow to accept "
      "such "
      "responses";
  const std::string info =
      R"x("PromQL info: input to histogram_quantile needed to be fixed for monotonicity (1:25)")x";
  const Row rows[] = {
      {"VictoriaMetrics", 200, R"("isPartial":true)", Warnings::error, partial},
      {"VictoriaMetrics, whole", 200, R"("isPartial":false)", Warnings::error, "a value"},
      {"VictoriaMetrics, allowed", 200, R"("isPartial":true)", Warnings::allow, "a value"},
      {"a flag of another type", 200, R"("isPartial":"yes")", Warnings::error, partial},
      {"FiloDB, by its flag",
       200,
       R"("partial":true,"message":"shard 3 is down")",
       Warnings::error,
       partial + " <shard 3 is down>"},
      {"FiloDB, by its status", 206, R"("x":1)", Warnings::error, partial},
      {"a notice", 200, R"("warnings":[)" + info + "]", Warnings::error, "a value"},
      {"a notice before a warning",
       200,
       R"("warnings":[)" + info + R"(,"store x is down"])",
       Warnings::error,
       warned + " <store x is down>"},
      {"a warning of PromQL",
       200,
       R"("warnings":["PromQL warning: bucket label is missing"])",
       Warnings::error,
       warned + " <PromQL warning: bucket label is missing>"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto body = fmt::format(
          R"({{"status":"success",{},"data":{{"resultType":"scalar","result":[1,"2"]}}}})",
          row.members);

      CHECK(shown(parse_reply(row.status, body, Aggregate::none, row.warnings, {})) == row.message);
    }
  }
}

TEST_CASE("a partial response without series is not a missing value, which empty would replace") {
  const auto body =
      R"({"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}})";

  CHECK(parse_reply(200, body, Aggregate::none, Warnings::error, {}).error().code == Errc::partial);
  CHECK(
      shown(parse_reply(200, body, Aggregate::none, Warnings::allow, {})) ==
      "partial: the response is partial and has no series, so it is not known that there are none");
}

TEST_CASE("the first remark on a query is kept for explain") {
  const auto sample = parse_reply(
      200,
      R"({"status":"success","infos":["PromQL info: x"],"data":{"resultType":"scalar","result":[1,"2"]}})",
      Aggregate::none,
      Warnings::error,
      {});

  REQUIRE(sample.has_value());
  REQUIRE(sample->notice != nullptr);
  CHECK(*sample->notice == "PromQL info: x");
}

TEST_CASE("no error contains a redacted text") {
  const std::vector<std::string> redactions{"tok3n", "up{a='b'}", "prometheus"};
  const Reply rows[] = {
      {"in the text",
       400,
       error("bad_data", "bad up{a='b'} of prometheus with tok3n"),
       "bad_request: the query is not valid <bad [hidden] of [hidden] with [hidden]>"},
      {"in the type", 400, error("tok3n", "x"), "bad_reply: the query failed ([hidden]) <x>"},
      {"in a page",
       502,
       "Bearer tok3n",
       "unreachable: the server returned an error (HTTP 502) <Bearer [hidden]>"},
      {"in a warning",
       200,
       R"({"status":"success","warnings":["store prometheus:10901"],"data":{}})",
       "partial: the response has a warning and may be incomplete; set warnings: allow to accept "
       "such responses <store [hidden]>"},
  };

  for (const Reply& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto sample =
          parse_reply(row.status, row.body, Aggregate::none, Warnings::error, redactions);

      CHECK(shown(sample) == row.message);
    }
  }
}

TEST_CASE("a remote text is bounded") {
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
