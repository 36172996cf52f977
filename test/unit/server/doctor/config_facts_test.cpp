#include "server/doctor/config_facts.hpp"

#include "test/support/nodes.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::doctor {
namespace {

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
      {"another kind", "redis: {key: 'avg(x)'}", false},
      {"no query", "prometheus: {}", false},
      {"nothing", "x: y", false},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto document = test::node("{metrics: [{name: m, " + std::string(row.block) + "}]}");

      CHECK(averages_in(std::vector{document}).contains("m") == row.is_average);
    }
  }
}

TEST_CASE("a name that stands twice is an average only when both are") {
  const auto one = test::node("{metrics: [{name: m, prometheus: {query: 'avg(x)'}}]}");
  const auto other = test::node("{metrics: [{name: m, prometheus: {query: 'sum(x)'}}]}");
  const auto none = test::node("{backends: {}}");

  CHECK(averages_in(std::vector{one, none, one}) == std::set<std::string>{"m"});
  CHECK(averages_in(std::vector{one, other}).empty());
}

TEST_CASE("files of backends are stood in for, and nothing else is") {
  std::vector documents{test::node(
      "{backends: {tls: {redis: {url: a, password: {file: b}, key: k, tls: {ca: c, key: {x: y}},"
      " headers: {X: {file: d}}}}}, metrics: [{name: m, redis: {tls: {ca: e}}}]}")};

  stand_in_for_files(documents, "/there");

  const auto* redis = documents[0].find("backends")->find("tls")->find("redis");
  const auto* metric = documents[0].find("metrics")->items[0].find("redis");
  CHECK(redis->find("url")->text == "a");
  CHECK(redis->find("password")->find("file")->text == "/there");
  CHECK(redis->find("key")->text == "k");
  CHECK(redis->find("tls")->find("ca")->text == "/there");
  CHECK(redis->find("tls")->find("key")->find("x")->text == "y");
  CHECK(redis->find("headers")->find("X")->find("file")->text == "/there");
  CHECK(metric->find("tls")->find("ca")->text == "e");
}

}  // namespace
}  // namespace weir::server::doctor
