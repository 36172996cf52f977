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

TEST_CASE("credentials and certificates are taken out of backends alone") {
  std::vector documents{
      test::node("{backends: {tls: {redis: {url: a, password: {file: b}, tls: {ca: c}, headers: "
                 "{X: {file: d}}}}},"
                 " metrics: [{name: tls, tls: {file: x}}]}")};

  drop_files(documents);

  const auto* redis = documents[0].find("backends")->find("tls")->find("redis");
  REQUIRE(redis != nullptr);
  CHECK(redis->find("url") != nullptr);
  CHECK(redis->find("password") == nullptr);
  CHECK(redis->find("tls") == nullptr);
  CHECK(redis->find("headers")->fields.empty());
  CHECK(documents[0].find("metrics")->items[0].find("tls") != nullptr);
}

}  // namespace
}  // namespace weir::server::doctor
