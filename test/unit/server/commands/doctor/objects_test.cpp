#include "server/commands/doctor/objects.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace weir::server::doctor {
namespace {

using nlohmann::json;
using scalers::LabelRequirement;

// One HPA whose one External metric has this `metric`.
json hpas(std::string_view metric) {
  return json::parse(
      R"({"items": [{"metadata": {"namespace": "n", "name": "h"}, "spec": {"metrics": [)"
      R"({"type": "External", "external": {"target": {"type": "Value"}, "metric": )" +
      std::string(metric) + "}}]}}]}");
}

TEST_CASE("an APIService's service, port and bundle") {
  const auto found = parse_api_service(json::parse(
      R"({"metadata": {"labels": {"app": "weir", "odd": 1}},
          "spec": {"service": {"namespace": "n", "name": "s", "port": 6443}, "caBundle": "aGk="},
          "status": {"conditions": [{"type": "Available", "status": "False", "reason": "r",
                                     "message": "m"}]}})"));

  CHECK(found.service->text() == "n/s");
  CHECK(found.port == 6443);
  CHECK(found.ca_pem == "hi");
  CHECK(found.labels == Labels{{"app", "weir"}});
  REQUIRE(found.conditions.size() == 1);
  CHECK(found.conditions[0].reason == "r");
}

TEST_CASE("an APIService with few fields has the defaults of Kubernetes") {
  const auto local = parse_api_service(json::parse(R"({"spec": {"service": null}})"));
  const auto minimal = parse_api_service(json::parse(R"({"spec": {"service": {"name": "s"}}})"));
  const auto broken = parse_api_service(json::parse(R"({"spec": {"caBundle": "?"}})"));

  CHECK_FALSE(local.service.has_value());
  CHECK(minimal.port == 443);
  CHECK_FALSE(minimal.skips_verify);
  CHECK(minimal.is_ca_base64);
  CHECK_FALSE(broken.is_ca_base64);
}

TEST_CASE("fields of other types read as empty") {
  struct Row {
    std::string_view name;
    std::string_view text;
  };
  const Row rows[] = {
      {"nothing", "null"},
      {"a text", "\"x\""},
      {"a list", "[1]"},
      {"odd blocks", R"({"metadata": 1, "spec": [], "status": "x", "items": {}, "resources": 7})"},
      {"odd fields",
       R"({"spec": {"service": 1, "caBundle": 2, "insecureSkipTLSVerify": "true", "ports": 3},
           "status": {"conditions": [1, null]}, "items": [1, {"endpoints": 5, "ports": [2]}]})"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const json object = json::parse(row.text);

      CHECK_FALSE(parse_api_service(object).service.has_value());
      CHECK_FALSE(parse_api_service(object).skips_verify);
      CHECK(parse_service(object).ports.empty());
      CHECK(parse_endpoints(object).empty());
      CHECK(parse_autoscalers(object).autoscalers.empty());
      CHECK(parse_account(object).empty());
      CHECK(parse_version(object).empty());
    }
  }
}

TEST_CASE("an endpoint is ready unless its condition is false") {
  const auto found = parse_endpoints(json::parse(
      R"({"items": [{"ports": [{"name": "https", "port": 6443}], "endpoints": [
            {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "p"}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
            {"addresses": ["fd00::3"], "conditions": {"ready": null},
             "targetRef": {"kind": "Node", "name": "x"}}]}]})"));

  REQUIRE(found.size() == 3);
  CHECK(found[0].is_ready);
  CHECK(found[0].pod == "p");
  CHECK(found[0].ports.at("https") == 6443);
  CHECK_FALSE(found[1].is_ready);
  CHECK(found[2].is_ready);
  CHECK(found[2].pod.empty());
}

TEST_CASE("an HPA's selector becomes requirements as its controller sends them") {
  using Operator = LabelRequirement::Operator;
  const auto page = parse_autoscalers(hpas(
      R"({"name": "m", "selector": {"matchLabels": {"c": "1", "a": "2"}, "matchExpressions": [
          {"key": "b", "operator": "In", "values": ["y", "x", "y"]},
          {"key": "a", "operator": "NotIn", "values": ["z"]},
          {"key": "d", "operator": "Exists"}, {"key": "e", "operator": "DoesNotExist"}]}})"));

  REQUIRE(page.autoscalers.size() == 1);
  REQUIRE(page.autoscalers[0].uses.size() == 1);
  const auto& requirements = page.autoscalers[0].uses[0].requirements;
  CHECK(requirements == std::vector<LabelRequirement>{{"a", Operator::equals, {"2"}},
                                                      {"a", Operator::not_in, {"z"}},
                                                      {"b", Operator::in, {"x", "y"}},
                                                      {"c", Operator::equals, {"1"}},
                                                      {"d", Operator::exists, {}},
                                                      {"e", Operator::does_not_exist, {}}});
}

// The text "queue=a,b" would parse as the label queue and a requirement that b exists.
TEST_CASE("a selector with a value that no label can have has no requirements") {
  const auto page =
      parse_autoscalers(hpas(R"({"name": "m", "selector": {"matchLabels": {"queue": "a,b"}}})"));

  const ExternalUse& use = page.autoscalers.at(0).uses.at(0);
  CHECK(use.requirements.empty());
  CHECK(use.bad_labels == std::vector<apiservice::BadLabel>{{"queue", "a,b"}});
}

TEST_CASE("an HPA without an External metric is omitted") {
  const auto page = parse_autoscalers(json::parse(
      R"({"metadata": {"continue": "next"}, "items": [{"spec": {"metrics": [
          {"type": "Resource", "resource": {"name": "cpu"}}]}}]})"));

  CHECK(page.autoscalers.empty());
  CHECK(page.next == "next");
}

TEST_CASE("the type of a target is that of the field that is set") {
  const auto page = parse_autoscalers(json::parse(
      R"({"items": [{"spec": {"metrics": [{"type": "External", "external": {"metric": {"name": "m"},
          "target": {"type": "Value", "averageValue": "3", "value": null}}}]}}]})"));

  const ExternalUse& use = page.autoscalers.at(0).uses.at(0);
  CHECK(use.target_type == "Value");
  CHECK(use.has_average_value);
  CHECK_FALSE(use.has_value);
}

}  // namespace
}  // namespace weir::server::doctor
