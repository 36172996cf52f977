#include "server/commands/record/replies.hpp"

#include "server/commands/record/record_source.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::server::record {
namespace {

using test::shown;

TEST_CASE("the items of a response are readings with their labels") {
  const auto readings = parse_values(200, R"({"kind":"ExternalMetricValueList","items":[
      {"metricName":"depth","metricLabels":{"queue":"a"},"timestamp":"2026-11-22T06:40:01Z","value":"1500m"},
      {"metricName":"depth","metricLabels":{},"timestamp":"2026-11-22T06:40:02Z","value":"2k"}]})");

  REQUIRE(readings.has_value());
  REQUIRE(readings->size() == 2);
  CHECK(text_of(readings->front().labels) == "queue=a");
  CHECK(readings->front().value == Approx(1.5));
  CHECK(readings->back().labels.empty());
  CHECK(readings->back().value == 2000);
}

TEST_CASE("a response without a number is an error, never a number") {
  const auto error = [](long status, const char* body) {
    return shown(parse_values(status, body).error());
  };

  CHECK(error(503, R"({"kind":"Status","message":"metric ml/depth: no queue"})") ==
        "bad_reply: metric ml/depth: no queue");
  CHECK(error(502, "<html>") ==
        "bad_reply: the response of the kube-apiserver is not a JSON object (HTTP 502)");
  CHECK(error(200, R"({"items":[]})") == "bad_reply: the response has no items");
  CHECK(error(200, "{}") == "bad_reply: the response has no items");
  CHECK(error(200, "[]") ==
        "bad_reply: the response of the kube-apiserver is not a JSON object (HTTP 200)");
  CHECK(error(200, R"({"items":[{"value":"1"}]})") ==
        "bad_reply: an item of the response has no value or no timestamp");
  CHECK(error(200, R"({"items":[{"value":3,"timestamp":"2026-11-22T06:40:01Z"}]})") ==
        "bad_reply: an item of the response has no value or no timestamp");
  CHECK(error(200, R"({"items":[null]})") ==
        "bad_reply: an item of the response has no value or no timestamp");
}

TEST_CASE("an HPA has its replicas and conditions, and a missing field is unknown") {
  const auto full =
      parse_hpa(200, R"({"status":{"currentReplicas":0,"desiredReplicas":4,"conditions":[
      {"type":"ScalingActive","status":"False","reason":"FailedGetExternalMetric","message":"why"}]}})");
  const auto bare = parse_hpa(200, R"({"status":{"currentReplicas":"3"}})");

  REQUIRE(full.has_value());
  CHECK(full->current == 0);
  CHECK(full->desired == 4);
  CHECK(full->conditions ==
        std::vector<Condition>{{"ScalingActive", "False", "FailedGetExternalMetric", "why"}});
  REQUIRE(bare.has_value());
  CHECK_FALSE(bare->current);
  CHECK_FALSE(bare->desired);
  CHECK(shown(parse_hpa(404, R"({"message":"no such HPA"})").error()) == "bad_reply: no such HPA");
}

TEST_CASE("an HPA has its bounds, and each metric with its target and what was read last") {
  const auto hpa = parse_hpa(200, R"({"spec":{"minReplicas":2,"maxReplicas":9,"metrics":[
      {"type":"External","external":{"metric":{"name":"depth"},"target":{"type":"AverageValue","averageValue":"5"}}},
      {"type":"External","external":{"metric":{"name":"p95"},"target":{"type":"Value","value":"500m"}}},
      {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":70}}}]},
      "status":{"currentReplicas":2,"currentMetrics":[
      {"type":"External","external":{"metric":{"name":"depth"},"current":{"averageValue":"6500m"}}},
      {"type":""},
      {"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":66,"averageValue":"330m"}}}]}})");

  REQUIRE(hpa.has_value());
  CHECK(hpa->least == 2);
  CHECK(hpa->most == 9);
  REQUIRE(hpa->metrics.size() == 3);
  const HpaMetric& depth = hpa->metrics[0];
  CHECK(depth.name == "depth");
  CHECK(depth.target_average == 5);
  CHECK(depth.average == 6.5);
  CHECK(depth.is_over_target());
  CHECK(hpa->metrics[1].target_value == 0.5);
  CHECK_FALSE(hpa->metrics[1].value);
  CHECK_FALSE(hpa->metrics[1].is_over_target());
  const HpaMetric& cpu = hpa->metrics[2];
  CHECK(cpu.target_utilization == 70);
  CHECK(cpu.utilization == 66);
  CHECK(cpu.average == 0.33);
  CHECK_FALSE(cpu.is_over_target());
}

TEST_CASE("a target is a namespace, a metric and everything after the question mark") {
  const Target plain = target_of("ml/depth");
  const Target selected = target_of("ml/depth?queue in (a/b,c?)");

  CHECK(plain.name_space == "ml");
  CHECK(plain.metric == "depth");
  CHECK(plain.selector.empty());
  CHECK(selected.metric == "depth");
  CHECK(selected.selector == "queue in (a/b,c?)");
}

}  // namespace
}  // namespace weir::server::record
