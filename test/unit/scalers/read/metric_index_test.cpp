// Which metric a name finds, also by an id of an earlier configuration.
#include "scalers/read/metric_index.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace weir::scalers {
namespace {

constexpr std::array<std::string_view, 5> kNames{"depth", "age", "depth", "lag", "depth"};

TEST_CASE("ids are positions in the configuration, and a name finds the first of its metrics") {
  const MetricIndex index(kNames);

  CHECK(index.size() == 5);
  CHECK(index.name(MetricId{3}) == "lag");
  CHECK(index.find("age") == MetricId{1});
  CHECK(index.find("lag") == MetricId{3});
  CHECK(index.find("depth") == MetricId{0});
  CHECK(index.next(MetricId{0}) == MetricId{2});
  CHECK(index.next(MetricId{2}) == MetricId{4});
  CHECK(index.next(MetricId{4}) == std::nullopt);
  CHECK(index.next(MetricId{1}) == std::nullopt);
  REQUIRE(index.by_name().size() == 3);
  CHECK(index.by_name()[0] == MetricId{1});
  CHECK(index.by_name()[1] == MetricId{0});
  CHECK(index.by_name()[2] == MetricId{3});
}

TEST_CASE("an id of another configuration finds only what the name finds") {
  const MetricIndex index(kNames);

  CHECK(index.find("lag", MetricId{3}) == MetricId{3});
  CHECK(index.find("lag", MetricId{1}) == MetricId{3});
  CHECK(index.find("lag", MetricId{99}) == MetricId{3});
  CHECK(index.find("depth", MetricId{4}) == MetricId{0});
  CHECK(index.find("nope", MetricId{0}) == std::nullopt);
}

// Field report 7: the client of an HPA writes the name into the path in lower case.
TEST_CASE("a name is found without regard to case, and keeps its spelling") {
  constexpr std::array<std::string_view, 3> kMixed{"QueueDepth", "age", "QueueDepth"};
  const MetricIndex index(kMixed);

  for (const std::string_view name : {"queuedepth", "QueueDepth", "QUEUEDEPTH"}) {
    DYNAMIC_SECTION(name) {
      CHECK(index.find(name) == MetricId{0});
      CHECK(index.find(name, MetricId{2}) == MetricId{0});
      CHECK(index.find(name, MetricId{1}) == MetricId{0});
    }
  }
  CHECK(index.find("queuedepths") == std::nullopt);
  CHECK(index.next(MetricId{0}) == MetricId{2});
  CHECK(index.name(MetricId{0}) == "QueueDepth");
  REQUIRE(index.by_name().size() == 2);
  CHECK(index.by_name()[0] == MetricId{1});
}

TEST_CASE("a part of a name finds nothing") {
  constexpr std::array<std::string_view, 3> kNested{"depth", "depth_max", "lag"};
  const MetricIndex index(kNested);

  for (const std::string_view other :
       {"", "a", "dept", "depths", "depth_", "depth_maxi", "m", "depthdepth_max"}) {
    DYNAMIC_SECTION("'" << other << "'") {
      CHECK(index.find(other) == std::nullopt);
      CHECK(MetricIndex().find(other) == std::nullopt);
    }
  }
}

}  // namespace
}  // namespace weir::scalers
