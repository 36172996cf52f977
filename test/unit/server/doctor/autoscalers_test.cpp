#include "server/doctor/autoscalers.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::server::doctor {
namespace {

using scalers::MetricInfo;

MetricInfo metric(const std::string& name,
                  std::vector<std::string> namespaces,
                  const std::string& kind) {
  MetricInfo out{name, std::move(namespaces), {}, "backend"};
  out.kind = kind;
  return out;
}

ServedMetrics configured(std::vector<MetricInfo> metrics) {
  ServedMetrics out;
  out.configured = std::move(metrics);
  return out;
}

Findings judged(const ExternalUse& use, const ServedMetrics& served) {
  const Autoscaler autoscaler{{"ml", "worker"}, "", {use}, {}};
  return judge_autoscalers(std::vector{autoscaler}, served);
}

ExternalUse by_average(const std::string& name) { return {name, {}, "AverageValue", false, true}; }
ExternalUse by_value(const std::string& name) { return {name, {}, "Value", true, false}; }

TEST_CASE("a metric of one name serves each namespace that one of its entries names") {
  const auto served =
      configured({metric("m", {"a"}, "prometheus"), metric("m", {"ml"}, "prometheus")});
  const auto elsewhere =
      configured({metric("m", {"a"}, "prometheus"), metric("m", {"b", "c"}, "prometheus")});

  CHECK(judged(by_average("m"), served).front().severity == Severity::ok);
  const auto refused = judged(by_average("m"), elsewhere);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].what == "metric m is not for namespace ml: it is for a, b, c");
  CHECK(refused[0].action == "add ml to the metric's namespaces");
}

TEST_CASE("a target has to suit what the metric measures") {
  struct Row {
    std::string_view name;
    std::string_view kind;
    bool is_average;
    ExternalUse use;
    bool is_well;
  };
  const Row rows[] = {
      {"a queue by average", "rabbitmq", false, by_average("m"), true},
      {"a list by average", "redis", false, by_average("m"), true},
      {"a quantile by value", "prometheus", true, by_value("m"), true},
      {"a sum by value", "prometheus", false, by_value("m"), true},
      {"a queue by value", "rabbitmq", false, by_value("m"), false},
      {"a list by value", "redis", false, by_value("m"), false},
      {"a quantile by average", "prometheus", true, by_average("m"), false},
      {"a type against its field", "prometheus", false, {"m", {}, "Value", false, true}, false},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      auto served = configured({metric("m", {"*"}, std::string(row.kind))});
      if (row.is_average) served.averages.insert("m");

      const auto found = judged(row.use, served);

      REQUIRE(found.size() == 1);
      CHECK(found[0].severity == (row.is_well ? Severity::ok : Severity::warning));
    }
  }
}

TEST_CASE("names are not judged when nothing is known of what is served") {
  CHECK(judged(by_average("anything"), {}).front().severity == Severity::ok);
}

TEST_CASE("discovery is held against the configuration, its standing resource aside") {
  const auto served = configured({metric("a", {"*"}, "redis"), metric("b", {"*"}, "redis")});

  CHECK(judge_discovery({"a", "b", "externalmetrics"}, served).front().severity == Severity::ok);
  const auto found = judge_discovery({"b", "c"}, served);
  REQUIRE(found.size() == 2);
  CHECK(found[0].what == "it does not list a, which the configuration has");
  CHECK(found[1].what == "it lists c, which the configuration does not have");
}

}  // namespace
}  // namespace weir::server::doctor
