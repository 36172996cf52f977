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
      {"a written number by average", Measure::state, by_average("m"), true},
      {"a written number by value", Measure::state, by_value("m"), false},
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

// Field report 7.
TEST_CASE("names are compared without regard to case, as the client of an HPA asks") {
  const auto served = configured({metric("QueueDepth", {"*"})});

  CHECK(check(by_average("QueueDepth"), served).front().severity == Severity::ok);
  CHECK(check(by_average("queuedepth"), served).front().severity == Severity::ok);
  CHECK(check_discovery({"queuedepth", "externalmetrics"}, served).front().severity ==
        Severity::ok);
}

// Field report 11: the metric itself accepts any value, and the advice was to write queue=VALUE.
TEST_CASE("a value that no label can have is named, with what to write instead") {
  MetricInfo depth2 = metric("depth2", {"ml"});
  depth2.labels.push_back({"queue", false, ".+"});
  const auto served = configured({depth2});
  const std::string rule =
      "(a value has at most 63 letters, digits, -, _ and ., with a letter or digit at both ends), "
      "so "
      "the HPA controller refuses the selector and does not ask for the metric";
  const std::string value =
      GENERATE(std::string("team/a"), std::string("topic+sub"), std::string(70, 'x'));
  ExternalUse use = by_average("depth2");
  use.bad_labels = {{"queue", value}};

  const auto found = check(use, served);

  CHECK(found ==
        Findings{
            error("HPA ml/worker",
                  "metric depth2: no label can have the value \"" + value + "\" of queue " + rule,
                  "add a metric of its own whose query has \"" + value +
                      "\" in place of $(queue), and name that metric in the HPA, without the "
                      "label")});
  CHECK(check(use, {}) == found);
}

TEST_CASE("a key that no label can have is named") {
  ExternalUse use = by_average("m");
  use.bad_labels = {{"que ue", std::nullopt}};

  const auto found = check(use, configured({metric("m", {"ml"})}));

  CHECK(found ==
        Findings{error("HPA ml/worker",
                       "metric m: no label can have the key \"que ue\" (a key has at most 63 "
                       "letters, digits, -, _ and ., with a letter or digit at both ends, after an "
                       "optional DNS name and /), so the HPA controller refuses the selector and "
                       "does not ask for the metric",
                       "write a label that the metric declares into metric.selector of the HPA")});
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
