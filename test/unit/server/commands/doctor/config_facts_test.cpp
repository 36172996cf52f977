#include "server/commands/doctor/config_facts.hpp"

#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::server::doctor {
namespace {

std::string_view text_of(Measure measure) {
  switch (measure) {
    case Measure::unknown: return "unknown";
    case Measure::backlog: return "backlog";
    case Measure::rate: return "rate";
    case Measure::average: return "average";
    case Measure::ratio: return "ratio";
    case Measure::state: return "state";
  }
  return "";
}

std::string shown(const scalers::Node& document) {
  std::vector<std::string> out;
  for (const auto& one : measured_metrics(std::vector{document})) {
    out.push_back(fmt::format("{} in {} is {}",
                              one.name,
                              fmt::join(one.namespaces, ","),
                              text_of(one.measure)));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

TEST_CASE("which queries give an average or a quantile") {
  struct Row {
    std::string_view name;
    std::string_view block;
    bool is_average;
  };
  const Row rows[] = {
      {"avg", "prometheus: {query: 'avg(x)'}", true},
      {"avg by", "prometheus: {query: ' ( avg by (a) (x))'}", true},
      {"quantile", "prometheus: {query: 'quantile(0.9, x)'}", true},
      {"a scaled quantile", "prometheus: {query: '1000 * histogram_quantile(0.9, x)'}", true},
      {"aggregated", "prometheus: {query: x, aggregate: avg}", true},
      {"sum", "prometheus: {query: 'sum(avg_over_time(x[1m]))'}", false},
      {"a name that begins so", "prometheus: {query: avg_latency_total}", false},
      {"an average inside", "prometheus: {query: 'sum(avg(x))'}", false},
      {"a quantile counted", "prometheus: {query: 'count(histogram_quantile(0.9, x) > 1)'}", false},
      {"a quantile of several terms",
       "prometheus: {query: 'histogram_quantile(0.9, x) * count(y)'}",
       false},
      {"a quantile over time", "prometheus: {query: 'quantile_over_time(0.9, x[5m])'}", false},
      {"a label that says so", "prometheus: {query: 'x{a=\"avg()\"}'}", false},
      {"avg, by after it", "prometheus: {query: 'AVG(x) BY (a)'}", true},
      {"a share of the whole", "prometheus: {query: '1 - avg(rate(x[1m]))'}", true},
      {"or nothing", "prometheus: {query: 'avg(x) or vector(0)'}", true},
      {"a filter", "prometheus: {query: 'avg(x) > 0.5'}", true},
      {"a comparison", "prometheus: {query: 'avg(x) > bool 0.5'}", false},
      {"a bracket in a label", "prometheus: {query: 'avg(x{a=\")\"}) / 1e3'}", true},
      {"a comment", "prometheus: {query: \"avg(x) # sum(\\n\"}", true},
      {"a small number", "prometheus: {query: '1e-3 * avg(x)'}", true},
      {"all in brackets", "prometheus: {query: '((avg(x)) )'}", true},
      {"no query", "prometheus: {}", false},
      {"nothing", "x: y", false},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto document = test::node("{metrics: [{name: m, " + std::string(row.block) + "}]}");

      CHECK(shown(document) == (row.is_average ? "m in  is average" : ""));
    }
  }
}

TEST_CASE("what the modes of a kind measure") {
  struct Row {
    std::string_view name;
    std::string_view block;
    std::string_view measure;
  };
  const Row rows[] = {
      {"a queue", "rabbitmq: {queue: q}", "backlog"},
      {"a queue's length", "rabbitmq: {queue: q, mode: QueueLength}", "backlog"},
      {"a rate", "rabbitmq: {queue: q, mode: MessageRate}", "rate"},
      {"a ratio", "rabbitmq: {queue: q, mode: PublishedToDeliveredRatio}", "ratio"},
      {"a time", "rabbitmq: {queue: q, mode: ExpectedQueueConsumptionTime}", "ratio"},
      {"an unknown mode", "rabbitmq: {queue: q, mode: Length}", ""},
      {"a list", "redis: {key: k}", "backlog"},
      {"a stream", "redis: {key: k, kind: stream}", "backlog"},
      {"a group's lag", "redis: {key: k, kind: lag, group: g}", "backlog"},
      {"a counter", "redis: {key: k, kind: counter}", ""},
      {"a query", "prometheus: {query: 'sum(x)'}", ""},
      {"a schedule", "schedule: {otherwise: 1}", "state"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto document = test::node("{metrics: [{name: m, " + std::string(row.block) + "}]}");

      CHECK(shown(document) ==
            (row.measure.empty() ? "" : fmt::format("m in  is {}", row.measure)));
    }
  }
}

TEST_CASE("each entry of a metric name has its own namespaces") {
  const auto document = test::node(
      "{metrics: [{name: m, namespaces: [a, b], redis: {key: k}},"
      " {name: m, namespaces: [c], redis: {key: k, kind: counter}},"
      " {name: m, namespaces: ['*'], prometheus: {query: 'avg(x)'}}]}");

  CHECK(shown(document) == "m in a,b is backlog; m in * is average");
}

TEST_CASE("a document without metrics has no measures") {
  CHECK(shown(test::node("{backends: {}}")).empty());
}

}  // namespace
}  // namespace weir::server::doctor
