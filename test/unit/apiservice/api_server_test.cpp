// The routes and parameters of the API, over a source that records its queries.
#include "test/rigs/api_rig.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::LabelRequirement;
using test::ApiRig;
using test::proxied_request;
using Operator = LabelRequirement::Operator;

const std::string kBase = "/apis/external.metrics.k8s.io/v1beta1";
const std::string kMetric = kBase + "/namespaces/default/queue-len";

std::string status_body(std::string_view message, std::string_view tail) {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" +
         std::string(message) + "\"," + std::string(tail) + "}\n";
}

const std::string kNotFound = status_body("the server could not find the requested resource",
                                          R"("reason":"NotFound","details":{},"code":404)");
const std::string kNotAllowed =
    status_body("the server does not allow this method on the requested resource",
                R"("reason":"MethodNotAllowed","details":{},"code":405)");

TEST_CASE("case 1: a metric read is a list of the source's values") {
  ApiRig rig;

  const Response response = rig.get(kMetric);

  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  CHECK(response.body ==
        R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
        R"("metadata":{},"items":[{"metricName":"queue-len","metricLabels":{},)"
        R"("timestamp":"2026-11-21T00:00:00Z","value":"42"}]})"
        "\n");
  REQUIRE(rig.source.queries.size() == 1);
  CHECK(rig.source.queries[0].name_space == "default");
  CHECK(rig.source.queries[0].metric == "queue-len");
  CHECK(rig.source.queries[0].labels.empty());
}

TEST_CASE("the source is queried for the metric and labels of path and selector") {
  struct Row {
    std::string_view name;
    std::string path;
    std::string selector;
    std::string_view name_space;
    std::string_view metric;
    std::vector<LabelRequirement> labels;
  };
  const std::string at = kBase + "/namespaces/";
  const Row rows[] = {
      {"case 38: a trailing slash", at + "ns/m/", "", "ns", "m", {}},
      {"case 121: capitals and a colon", at + "ns/UPPER.case:x", "", "ns", "UPPER.case:x", {}},
      {"case 121: a blank", at + "ns/a b", "", "ns", "a b", {}},
      {"case 121: UTF-8", at + "ns/\xc3\xa4", "", "ns", "\xc3\xa4", {}},
      {"case 122: status", at + "ns/status", "", "ns", "status", {}},
      {"a percent sign that was escaped twice", at + "ns/a%2fb", "", "ns", "a%2fb", {}},
      {"case 2: equality", at + "ns/m", "a=b", "ns", "m", {{"a", Operator::equals, {"b"}}}},
      {"case 9: a blank selector", at + "ns/m", " ", "ns", "m", {}},
      {"case 5: absence", at + "ns/m", "!a", "ns", "m", {{"a", Operator::does_not_exist, {}}}},
      {"case 10: in in (in)", at + "ns/m", "in in (in)", "ns", "m", {{"in", Operator::in, {"in"}}}},
      {"two keys",
       at + "ns/m",
       "k in (b,a),c!=d",
       "ns",
       "m",
       {{"c", Operator::not_equals, {"d"}}, {"k", Operator::in, {"a", "b"}}}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;

      const Response response = rig.get(row.path, {{"labelSelector", row.selector}});

      CHECK(response.status == 200);
      REQUIRE(rig.source.queries.size() == 1);
      CHECK(rig.source.queries[0].name_space == row.name_space);
      CHECK(rig.source.queries[0].metric == row.metric);
      CHECK(rig.source.queries[0].labels == row.labels);
    }
  }
}

TEST_CASE("parameters that change nothing are ignored") {
  struct Row {
    std::string_view name;
    std::string parameter;
    std::string value;
  };
  const Row rows[] = {
      {"case 25: limit", "limit", "1"},
      {"case 33: watch=false", "watch", "false"},
      {"case 33: watch=0", "watch", "0"},
      {"case 34: an unknown one", "foo", "bar"},
      {"labelselector in small letters", "labelselector", "a b"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;

      const Response response = rig.get(kMetric, {{row.parameter, row.value}});

      CHECK(response.status == 200);
      REQUIRE(rig.source.queries.size() == 1);
      CHECK(rig.source.queries[0].labels.empty());
    }
  }
}

TEST_CASE("case 22: the first of two selectors is used") {
  ApiRig rig;

  const auto good = rig.get(kMetric, {{"labelSelector", "x"}, {"labelSelector", ","}});
  const auto bad = rig.get(kMetric, {{"labelSelector", ","}, {"labelSelector", "x"}});

  CHECK(good.status == 200);
  CHECK(bad.status == 400);
  REQUIRE(rig.source.queries.size() == 1);
  CHECK(rig.source.queries[0].labels == std::vector<LabelRequirement>{{"x", Operator::exists, {}}});
}

TEST_CASE("a bad selector is 400 in Kubernetes' words, and the source is not queried") {
  struct Row {
    std::string_view name;
    std::string selector;
    std::string_view message;
  };
  const Row rows[] = {
      {"case 14", "a=b c", "found 'c', expected: ',' or 'end of string'"},
      {"case 16", ",a", "found ',', expected: !, identifier, or 'end of string'"},
      {"a comma last", "a,", "found '', expected: identifier after ','"},
      {"two words",
       "a b",
       "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"an open list", "a in (b", "unable to parse requirement: found '', expected: ',' or ')'"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;

      const Response response = rig.get(kMetric, {{"labelSelector", row.selector}});

      CHECK(response.status == 400);
      CHECK(response.body == status_body(row.message, R"("reason":"BadRequest","code":400)"));
      CHECK(rig.source.queries.empty());
    }
  }
}

TEST_CASE("case 32: a watch is 405 in every spelling, and the source is not queried") {
  const std::string expected =
      status_body(R"(watch is not supported on resources of kind \"*.external.metrics.k8s.io\")",
                  R"("reason":"MethodNotAllowed",)"
                  R"("details":{"group":"external.metrics.k8s.io","kind":"*"},"code":405)");
  const std::string_view spellings[] = {"true", "1", "TRUE", "yes", "", "no"};

  for (const std::string_view spelling : spellings) {
    DYNAMIC_SECTION("watch=" << spelling) {
      ApiRig rig;

      const auto response = rig.get(kMetric, {{"watch", std::string(spelling)}});

      CHECK(response.status == 405);
      CHECK(response.body == expected);
      CHECK(rig.source.queries.empty());
      REQUIRE(rig.authorizer.attributes.size() == 1);
      CHECK(rig.authorizer.attributes[0].verb == "watch");
    }
  }
}

TEST_CASE("case 44, S36: every method but GET is 405 on a route") {
  const std::string_view methods[] =
      {"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "get"};

  for (const std::string_view method : methods) {
    DYNAMIC_SECTION(method) {
      ApiRig rig;
      Request read = proxied_request("GET", kMetric);
      Request discovery = proxied_request("GET", kBase);
      read.method = discovery.method = std::string(method);

      const Response of_metric = rig.send(read);
      const Response of_discovery = rig.send(discovery);

      CHECK(of_metric.status == 405);
      CHECK(of_metric.body == kNotAllowed);
      CHECK(of_discovery.body == kNotAllowed);
      CHECK(rig.source.queries.empty());
    }
  }
}

TEST_CASE("an unknown path below the group version is a Status, and elsewhere a text") {
  struct Row {
    std::string_view name;
    std::string path;
    bool is_status;
  };
  const Row rows[] = {
      {"case 40: no namespace", kBase + "/queue-len", true},
      {"case 41: no metric", kBase + "/namespaces/default", true},
      {"an explanation without an explainer", kBase + "/namespaces/default/m/explain", true},
      {"an empty metric", kBase + "/namespaces/default//", true},
      {"an empty namespace", kBase + "/namespaces//m", true},
      {"case 42: another version", "/apis/external.metrics.k8s.io/v1", false},
      {"a metric of another version", "/apis/external.metrics.k8s.io/v1/namespaces/d/m", false},
      {"another group", "/apis/custom.metrics.k8s.io/v1beta1", false},
      {"case 85", "/nope", false},
      {"two slashes", "//apis", false},
      {"S22: dots", kBase + "/../v1beta1/namespaces/default/m", true},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;

      const Response response = rig.get(row.path);

      CHECK(response.status == 404);
      CHECK(response.body == (row.is_status ? kNotFound : "404 page not found\n"));
      CHECK(response.content_type ==
            (row.is_status ? "application/json" : "text/plain; charset=utf-8"));
      CHECK(rig.source.queries.empty());
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
