#include "server/telemetry/names.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

std::vector<scalers::MetricInfo> metrics(const std::vector<std::string>& names) {
  std::vector<scalers::MetricInfo> out;
  for (const std::string& name : names) out.push_back({name, {"ml"}, {}, "broker", false});
  return out;
}

TEST_CASE("each name has one place, in their order") {
  const MetricNames names(metrics({"depth", "age", "depth", "lag", "depth"}));

  REQUIRE(names.size() == 3);
  CHECK(names[0] == "age");
  CHECK(names[1] == "depth");
  CHECK(names[2] == "lag");
  CHECK(names.find("age") == 0);
  CHECK(names.find("depth") == 1);
  CHECK(names.find("lag") == 2);
}

TEST_CASE("what is no whole name has no place") {
  const MetricNames names(metrics({"depth", "depth_max", "lag"}));

  for (const std::string_view other :
       {"", "a", "dept", "depths", "depth_", "depth_maxi", "m", "depthdepth_max"}) {
    DYNAMIC_SECTION("'" << other << "'") {
      CHECK_FALSE(names.find(other));
      CHECK_FALSE(MetricNames().find(other));
    }
  }
}

}  // namespace
}  // namespace weir::server
