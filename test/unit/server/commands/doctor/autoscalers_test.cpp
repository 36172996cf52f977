#include "server/commands/doctor/autoscalers.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server::doctor {
namespace {

using scalers::MetricInfo;

MetricInfo metric(const std::string& name, std::vector<std::string> namespaces) {
  return {name, std::move(namespaces), {}, "backend"};
}

ServedMetrics configured(std::vector<MetricInfo> metrics) {
  ServedMetrics out;
  out.configured = std::move(metrics);
  return out;
}

Findings check(const ExternalUse& use, const ServedMetrics& served) {
  const Autoscaler autoscaler{{"ml", "worker"}, "", {use}, {}};
  return check_autoscalers(std::vector{autoscaler}, served);
}

ExternalUse by_average(const std::string& name) { return {name, {}, "AverageValue", false, true}; }
ExternalUse by_value(const std::string& name) { return {name, {}, "Value", true, false}; }

TEST_CASE("a metric name is served in each namespace that one of its entries names") {
  const auto served = configured({metric("m", {"a"}), metric("m", {"ml"})});
  const auto elsewhere = configured({metric("m", {"a"}), metric("m", {"b", "c"})});

  CHECK(check(by_average("m"), served).front().severity == Severity::ok);
  const auto refused = check(by_average("m"), elsewhere);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].what == "metric m is not served in namespace ml, only in a, b, c");
  CHECK(refused[0].action == "add ml to the metric's namespaces");
}

TEST_CASE("a target has to fit the quantity that the metric measures") {
  struct Row {
    std::string_view name;
    std::optional<Measure> measure;
    ExternalUse use;
    bool is_healthy;
  };
  const Row rows[] = {
      {"a queue by average", Measure::backlog, by_average("m"), true},
      {"a quantile by value", Measure::average, by_value("m"), true},
      {"an unknown measure by value", std::nullopt, by_value("m"), true},
      {"an unknown measure by average", std::nullopt, by_average("m"), true},
      {"a queue by value", Measure::backlog, by_value("m"), false},
      {"a quantile by average", Measure::average, by_average("m"), false},
      {"a type against its field", std::nullopt, {"m", {}, "Value", false, true}, false},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      auto served = configured({metric("m", {"*"})});
      if (row.measure) served.measured.push_back({"m", {"*"}, *row.measure});

      const auto found = check(row.use, served);

      REQUIRE(found.size() == 1);
      CHECK(found[0].severity == (row.is_healthy ? Severity::ok : Severity::warning));
    }
  }
}

TEST_CASE("a target is checked against the metric of the HPA's namespace") {
  auto served = configured({metric("m", {"ml"}), metric("m", {"a"})});
  served.measured = {{"m", {"a", "b"}, Measure::backlog}};
  CHECK(check(by_value("m"), served).front().severity == Severity::ok);

  served.measured = {{"m", {"a"}, Measure::average}, {"m", {"b", "ml"}, Measure::backlog}};

  CHECK(check(by_value("m"), served).front().severity == Severity::warning);
  CHECK(check(by_average("m"), served).front().severity == Severity::ok);
}

TEST_CASE("names are not checked when the served metrics are unknown") {
  CHECK(check(by_average("anything"), {}).front().severity == Severity::ok);
}

TEST_CASE(
    "discovery is checked against the configuration, except the resource that is always listed") {
  const auto served = configured({metric("a", {"*"}), metric("b", {"*"})});

  CHECK(check_discovery({"a", "b", "externalmetrics"}, served).front().severity == Severity::ok);
  const auto found = check_discovery({"b", "c"}, served);
  REQUIRE(found.size() == 2);
  CHECK(found[0].what == "it does not list a, which the configuration defines");
  CHECK(found[1].what == "it lists c, which the configuration does not define");
}

}  // namespace
}  // namespace weir::server::doctor
