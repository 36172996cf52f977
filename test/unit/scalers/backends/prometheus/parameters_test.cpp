// Field report 12: the query parameters and headers of a backend, which are refused, what
// $(namespace) becomes in them, and where a request has them.
#include "scalers/backends/prometheus/request_settings.hpp"
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

// A backend with these parameters on line 2, from column 1.
std::pair<BackendSettings, Lines> read(const std::string& parameters) {
  Problems problems;
  auto settings =
      read_backend(test::node("{url: 'http://a', parameters:\n" + parameters + "}"), problems);
  return {std::move(settings), problems.lines()};
}

UrlPairs rendered(const UrlParameters& parameters) {
  UrlPairs out;
  render(parameters, {"team-a", {{"queue", "a&b"}}}, out);
  return out;
}

TEST_CASE("query parameters are read in the order of the configuration") {
  const auto [settings, problems] =
      read("{namespace: team-a, dedup: false, deny_partial_response: 1, extra_label: [a=b, c=d]}");

  CHECK(problems == Lines{});
  CHECK(rendered(settings.parameters) == UrlPairs{{"namespace", "team-a"},
                                                  {"dedup", "false"},
                                                  {"deny_partial_response", "1"},
                                                  {"extra_label", "a=b"},
                                                  {"extra_label", "c=d"}});
  CHECK(text_of(rendered(settings.parameters)) ==
        "namespace=team-a, dedup=false, deny_partial_response=1, extra_label=a=b, extra_label=c=d");
}

TEST_CASE("$(namespace) is the caller's in parameters of a backend") {
  const auto [settings, problems] =
      read("{namespace: $(namespace), extra_label: [n=$(namespace), '$$(namespace)']}");

  CHECK(problems == Lines{});
  CHECK(settings.parameters.has_parameter("namespace"));
  CHECK(rendered(settings.parameters) == UrlPairs{{"namespace", "team-a"},
                                                  {"extra_label", "n=team-a"},
                                                  {"extra_label", "$(namespace)"}});
}

TEST_CASE("a label is not known to a backend") {
  const auto [settings, problems] = read("{a: x, b: [y, $(queue)], c: $(namespace}");

  CHECK(problems ==
        Lines{"t.yaml:2:15: $(queue) is not known to a backend, which has $(namespace) alone: "
              "labels are those of a metric (write $$( for a literal $()",
              "t.yaml:2:29: a parameter has the form $(label); the ) is missing"});
}

// A backend with these headers on line 2, from column 1.
std::pair<BackendSettings, Lines> read_headers(const std::string& headers) {
  Problems problems;
  auto settings =
      read_backend(test::node("{url: 'http://a', headers:\n" + headers + "}"), problems);
  return {std::move(settings), problems.lines()};
}

TEST_CASE("$(namespace) is the caller's in a header") {
  const auto [settings, problems] = read_headers("{X-Scope-OrgID: $(namespace)|shared, X-A: a$b}");

  CHECK(problems == Lines{});
  CHECK(settings.headers[0].second.value.render({"team-a"}) == "team-a|shared");
  CHECK(settings.headers[1].second.value.render({"team-a"}) == "a$b");
}

TEST_CASE("a header that no server accepts, or of a label, is a problem") {
  const std::string control =
      " contains a line end or another control character; write it on one line";
  struct Row {
    std::string_view name;
    std::string headers;
    Lines problems;
  };
  const Row rows[] = {
      {"a label",
       "{X-A: $(queue)}",
       {"t.yaml:2:7: $(queue) is not known to a backend, which has $(namespace) alone: labels are "
        "those of a metric (write $$( for a literal $()"}},
      {"a line end", "{X-A: \"a\nb\"}", {"t.yaml:2:7: the header X-A" + control}},
      {"a carriage return", "{X-A: \"a\r\"}", {"t.yaml:2:7: the header X-A" + control}},
      {"a DEL", "{X-A: \"\x7f\"}", {"t.yaml:2:7: the header X-A" + control}},
      {"a tab", "{X-A: \"a\tb\"}", {}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(read_headers(row.headers).second == row.problems); }
  }
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
      {"step",
       "{step: 5m}",
       {"t.yaml:2:2: the parameter step is for range queries; remove it (lookback_delta of "
        "Prometheus, max_lookback of VictoriaMetrics: how old a sample may be)"}},
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
  const auto [settings, problems] = read("{Query: a, Step: 5m, lookback_delta: 1m, match: x}");

  CHECK(problems == Lines{});
  CHECK(settings.parameters.all.size() == 4);
}

TEST_CASE("query parameters are in the url for both methods, percent-encoded") {
  const std::string parameters = encoded({{"extra_label", "team=\"a b\""}, {"x&y", "é+%"}});
  const std::string form = "query=up&timeout=1ms";

  const RequestForm get = make_form(Method::get, 20, parameters, form);
  const RequestForm post = make_form(Method::post, 20, parameters, form);
  const RequestForm alone = make_form(Method::get, 20, parameters, "");

  CHECK(parameters == "extra_label=team%3D%22a%20b%22&x%26y=%C3%A9%2B%25");
  CHECK(get.query == form + "&" + parameters);
  CHECK(get.body.empty());
  CHECK(post.query == parameters);
  CHECK(post.body == form);
  CHECK(alone.query == parameters);
}

TEST_CASE("a request without query parameters has only its own form") {
  const RequestForm get = make_form(Method::get, 20, "", "query=up");
  const RequestForm post = make_form(Method::post, 20, "", "query=up");

  CHECK(get.query == "query=up");
  CHECK(post.query.empty());
  CHECK(post.body == "query=up");
}

TEST_CASE("a url of more than 2000 bytes makes a POST, unless the method is set") {
  // 20 bytes in front of the ?, and 3 of "&a=" in "?FORM&a=b".
  const std::string parameters = "a=b";
  const std::string fits(2000 - 20 - 1 - 1 - parameters.size(), 'q');

  CHECK(make_form({}, 20, parameters, fits).method == Method::get);
  CHECK(make_form({}, 20, parameters, fits + 'q').method == Method::post);
  CHECK(make_form({}, 21, parameters, fits).method == Method::post);
  CHECK(make_form(Method::get, 20, parameters, fits + 'q').method == Method::get);
  CHECK(make_form(Method::post, 20, parameters, "q").method == Method::post);
}

// A metric with these parameters on line 2, of a backend with those.
Lines problems_of_metric(const std::string& parameters, const std::string& of_backend) {
  Problems problems;
  ParameterNames names({"queue"});
  const auto metric = read_metric(
      test::node("{backend: b, query: 'x{q=\"$(queue)\"}', parameters:\n" + parameters + "}"),
      names,
      problems);
  check_not_repeated(read(of_backend).first.parameters, metric.settings.parameters, problems);
  return problems.lines();
}

TEST_CASE("a metric's parameters must not repeat those of its backend, and obey the same rules") {
  struct Row {
    std::string_view name;
    std::string parameters;
    Lines problems;
  };
  const Row rows[] = {
      {"others", "{dedup: true, extra_label: 'q=$(queue)', Namespace: x}", {}},
      {"the same name",
       "{namespace: $(namespace)}",
       {"t.yaml:2:13: the backend has the parameter namespace already (t.yaml:2); keep one of "
        "them"}},
      {"the same name, two values",
       "{namespace: [a, b]}",
       {"t.yaml:2:14: the backend has the parameter namespace already (t.yaml:2); keep one of "
        "them"}},
      {"a name of Weir's",
       "{query: x}",
       {"t.yaml:2:2: the parameter query is set by Weir; remove it"}},
      {"an undeclared label",
       "{a: $(pod)}",
       {"t.yaml:2:5: $(pod) is not a declared label; use one of $(namespace), $(queue) (write $$( "
        "for a literal $()"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(problems_of_metric(row.parameters, "{namespace: team-a}") == row.problems);
    }
  }
}

TEST_CASE("a metric that sends the namespace needs a DNS label") {
  const auto needs_dns_label = [](const std::string& block) {
    Problems problems;
    ParameterNames names({});
    static_cast<void>(read_metric(test::node(block), names, problems));
    REQUIRE(problems.empty());
    return names.needs_dns_label();
  };

  CHECK(needs_dns_label("{backend: b, query: up, parameters: {namespace: $(namespace)}}"));
  CHECK_FALSE(needs_dns_label("{backend: b, query: up, parameters: {namespace: a}}"));
  // Quoted there, whatever its bytes are.
  CHECK_FALSE(needs_dns_label("{backend: b, query: 'up{n=\"$(namespace)\"}'}"));
}

TEST_CASE("values of parameters are redacted, but not what every message has") {
  std::vector<std::string> out;

  for (const char* value : {"tenant 7", "team-b", "true", "false", "1", "5m", "team-a"})
    add_redactions(value, "team-a", out);

  CHECK(out == Lines{"tenant 7", "tenant%207", "team-b"});
}

TEST_CASE("a url with a query is refused with the setting to use, and is not repeated") {
  Problems problems;

  read_backend(test::node("{url: 'http://querier:9092/?namespace=team-b'}"), problems);

  CHECK(problems.lines() == Lines{"t.yaml:1:7: a url must not have a query; write it as "
                                  "parameters: {namespace: team-a}"});
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
