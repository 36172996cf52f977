// Parts of an aggregate: a sum must not hide one that no policy would accept.
#include "scalers/parts.hpp"

#include "scalers/read/policies/verdict.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <numeric>
#include <vector>

namespace weir::scalers::read {
namespace {

double sum(const std::vector<double>& parts) {
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

TEST_CASE("parts are noted only when several of them have a negative one") {
  const auto parts = negative_parts({-4, 9, -1}, "series", sum);

  REQUIRE(parts != nullptr);
  CHECK(parts->least == -4);
  CHECK(parts->with_zeros == 9);
  CHECK(parts->negative == 2);
  CHECK(parts->all == 3);
  CHECK(parts->noun == "series");
  CHECK(negative_parts({-4}, "series", sum) == nullptr);
  CHECK(negative_parts({4, 9, 0}, "series", sum) == nullptr);
  CHECK(negative_parts({}, "series", sum) == nullptr);
}

// Field report 2: the sum of -4 and 9 looks like any other number.
TEST_CASE("negative parts of an aggregate are judged, not its sum") {
  Sample total{5, WallTime{}};
  total.negative_parts = negative_parts({-4, 9}, "queues", sum);
  const Answer answer{Samples(total), SteadyTime{}, WallTime{}, SteadyTime{}, Duration{}};
  const Policies strict{};
  const Policies zero{.negative = NegativePolicy::zero};
  const Policies allow{.negative = NegativePolicy::allow};

  CHECK(
      test::shown(judge(strict, answer).error()) ==
      "negative: 1 of 2 queues are negative, down to -4; a number made of them would be wrong; set "
      "negative: zero or negative: allow if it is meant");
  CHECK(judge(zero, answer)->front().value == 9);
  CHECK(judge(allow, answer)->front().value == 5);
  CHECK(judge(zero, answer)->front().changes[static_cast<std::size_t>(Policy::negative)]);
}

TEST_CASE("a part that no HPA can read is not hidden by the others") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto beyond = part_out_of_range({1e16, 0}, "series");

  REQUIRE(beyond);
  CHECK(test::shown(*beyond) ==
        "out_of_range: one of 2 series is 1e+16, beyond 9.2e15, the most an HPA can read; use a "
        "larger unit");
  CHECK(part_out_of_range({0, -1e16}, "series"));
  CHECK(!part_out_of_range({1e16}, "series"));
  CHECK(!part_out_of_range({9e15, 9e15}, "series"));
  CHECK(!part_out_of_range({infinity, 1}, "series"));
  CHECK(!part_out_of_range({}, "series"));
}

}  // namespace
}  // namespace weir::scalers::read
