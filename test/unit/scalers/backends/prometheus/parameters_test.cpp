// Field report 12: the query parameters of a backend, which are refused, and where a request has
// them.
#include "scalers/backends/prometheus/settings.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using Lines = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// A backend with these parameters on line 2, from column 1.
std::pair<BackendSettings, Lines> read(const std::string& parameters) {
  Problems problems;
  auto settings =
      read_backend(test::node("{url: 'http://a', parameters:\n" + parameters + "}"), problems);
  return {std::move(settings), problems.lines()};
}

TEST_CASE("query parameters are read in the order of the configuration") {
  const auto [settings, problems] =
      read("{namespace: team-a, dedup: false, deny_partial_response: 1, extra_label: [a=b, c=d]}");

  CHECK(problems == Lines{});
  CHECK(settings.parameters.pairs == Pairs{{"namespace", "team-a"},
                                           {"dedup", "false"},
                                           {"deny_partial_response", "1"},
                                           {"extra_label", "a=b"},
                                           {"extra_label", "c=d"}});
  CHECK(text_of(settings.parameters) ==
        "namespace=team-a, dedup=false, deny_partial_response=1, extra_label=a=b, extra_label=c=d");
}

TEST_CASE("query parameters that would change what Weir asks are refused") {
  struct Row {
    std::string_view name;
    std::string parameters;
    Lines problems;
  };
  const auto fixes = [](std::string_view name) {
    return "t.yaml:2:2: the parameter " + std::string(name) +
           " would fix the time of each query; remove it";
  };
  const auto leaves_out = [](std::string_view name) {
    return "t.yaml:2:2: the parameter " + std::string(name) +
           " would leave out series, and an aggregate of the others is wrong; remove it";
  };
  const auto is_secret = [](std::string_view name) {
    return "t.yaml:2:2: the parameter " + std::string(name) +
           " holds a secret, and logs contain urls; send it as a header: write headers: {NAME: "
           "{file: PATH}}";
  };
  const std::string map =
      "t.yaml:2:1: expected a map from a query parameter's name to its text or list of texts, such "
      "as {namespace: team-a}; ";
  const Row rows[] = {
      {"query", "{query: up}", {"t.yaml:2:2: the parameter query is set by Weir; remove it"}},
      {"timeout", "{timeout: 1m}", {"t.yaml:2:2: the parameter timeout is set by Weir; remove it"}},
      {"state", "{state: any}", {"t.yaml:2:2: the parameter state is set by Weir; remove it"}},
      {"time", "{time: 5}", {fixes("time")}},
      {"start", "{start: 5}", {fixes("start")}},
      {"end", "{end: 5}", {fixes("end")}},
      {"limit", "{limit: 5}", {leaves_out("limit")}},
      {"match[]", "{'match[]': up}", {leaves_out("match[]")}},
      {"a token", "{access_token: x}", {is_secret("access_token")}},
      {"a key", "{authKey: x}", {is_secret("authKey")}},
      {"a password", "{password: x}", {is_secret("password")}},
      {"an empty name", "{'': x}", {"t.yaml:2:2: the name of a query parameter is empty"}},
      {"an empty value", "{a: ''}", {"t.yaml:2:5: expected text; found \"\""}},
      {"no value", "{a: ~}", {"t.yaml:2:5: expected text; found nothing"}},
      {"a map as value", "{a: {file: x}}", {"t.yaml:2:5: expected text; found a map"}},
      {"an empty list",
       "{a: []}",
       {"t.yaml:2:5: expected a list of texts, such as [a, b]; found a list"}},
      {"a name twice", "{a: x, a: y}", {"t.yaml:2:8: duplicate key a (first at 2:2)"}},
      {"a text", "namespace=a", {map + "found \"namespace=a\""}},
      {"a list", "[a]", {map + "found a list"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(read(row.parameters).second == row.problems); }
  }
}

TEST_CASE("names that only resemble a refused one are sent") {
  const auto [settings, problems] = read("{Query: a, step: 5m, lookback_delta: 1m, match: x}");

  CHECK(problems == Lines{});
  CHECK(settings.parameters.pairs.size() == 4);
}

TEST_CASE("query parameters are in the url for both methods, percent-encoded") {
  const UrlParameters parameters{{{"extra_label", "team=\"a b\""}, {"x&y", "é+%"}}};
  const std::string encoded = "extra_label=team%3D%22a%20b%22&x%26y=%C3%A9%2B%25";

  const RequestForm get = make_form(Method::get, parameters, "query=up&timeout=1ms");
  const RequestForm post = make_form(Method::post, parameters, "query=up&timeout=1ms");
  const RequestForm alone = make_form(Method::get, parameters, "");

  CHECK(get.query == "query=up&timeout=1ms&" + encoded);
  CHECK(get.body.empty());
  CHECK(post.query == encoded);
  CHECK(post.body == "query=up&timeout=1ms");
  CHECK(alone.query == encoded);
}

TEST_CASE("a request without query parameters has only its own form") {
  const RequestForm get = make_form(Method::get, {}, "query=up");
  const RequestForm post = make_form(Method::post, {}, "query=up");

  CHECK(get.query == "query=up");
  CHECK(post.query.empty());
  CHECK(post.body == "query=up");
}

TEST_CASE("a url with a query is refused with the setting to use, and is not repeated") {
  Problems problems;

  read_backend(test::node("{url: 'http://querier:9092/?namespace=team-b'}"), problems);

  CHECK(problems.lines() == Lines{"t.yaml:1:7: a url must not have a query; write it as "
                                  "parameters: {namespace: team-a}"});
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
