#include "scalers/read/policies.hpp"

#include "test/support/shown.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <string_view>

namespace weir::scalers::read {
namespace {

using test::shown;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Result<Sample> measured(double value) { return Sample{value, WallTime{}}; }
Result<Sample> nothing() { return Error{Errc::no_value, "no series", "its words"}; }

struct Good {
  std::string_view name;
  Policies policies;
  Result<Sample> asked;
  double value;
};

struct Bad {
  std::string_view name;
  Policies policies;
  Result<Sample> asked;
  std::string message;
};

const Policies kStrict{{}, {}, NegativePolicy::error};
const Policies kZero{{}, {}, NegativePolicy::zero};
const Policies kAllow{{}, {}, NegativePolicy::allow};
const Policies kLenient{{3}, {4}, NegativePolicy::allow};

TEST_CASE("a value that an HPA can read passes as it is") {
  const Good rows[] = {
      {"zero", kStrict, measured(0), 0},
      {"minus zero is zero", kStrict, measured(-0.0), 0},
      {"a fraction", kStrict, measured(0.001), 0.001},
      {"the smallest", kStrict, measured(5e-324), 5e-324},
      {"the largest whose thousandths fit",
       kStrict,
       measured(9223372036854774.0),
       9223372036854774.0},
      {"negative: zero", kZero, measured(-5), 0},
      {"negative: zero, far below", kZero, measured(-1e300), 0},
      {"negative: zero leaves others alone", kZero, measured(5), 5},
      {"negative: allow", kAllow, measured(-5), -5},
      {"negative: allow, the least", kAllow, measured(-9223372036854774.0), -9223372036854774.0},
      {"empty: 3", kLenient, nothing(), 3},
      {"nan: 4", kLenient, measured(kNan), 4},
      {"nan: 4, minus NaN", kLenient, measured(-kNan), 4},
  };

  for (const Good& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto value = apply(row.policies, row.asked);

      REQUIRE(shown(value) == "a value");
      CHECK(*value == row.value);
    }
  }
}

TEST_CASE("a value that an HPA would take for something else is an error") {
  const std::string nan =
      "not_a_number: the value is NaN, as a quantile or a ratio without observations is; set nan: "
      "0 if that means idle";
  const auto infinite = [](std::string_view sign) {
    return "not_a_number: the value is " + std::string(sign) + "Inf; something was divided by zero";
  };
  const auto below_zero = [](std::string_view value) {
    return "negative: the value " + std::string(value) +
           " is negative, which an HPA takes for an order to grow to its maximum; set negative: "
           "zero or negative: allow if it is meant";
  };
  const auto too_large = [](std::string_view value) {
    return "out_of_range: the value " + std::string(value) +
           " is beyond 9.2e15, the most an HPA can read; use a larger unit";
  };
  const Bad rows[] = {
      {"nothing", kStrict, nothing(), "no_value: no series <its words>"},
      {"NaN", kStrict, measured(kNan), nan},
      {"NaN, negative: zero", kZero, measured(kNan), nan},
      {"+Inf", kStrict, measured(kInfinity), infinite("+")},
      {"-Inf", kStrict, measured(-kInfinity), infinite("-")},
      {"+Inf, with nan and empty set", kLenient, measured(kInfinity), infinite("+")},
      {"-Inf, negative: zero", kZero, measured(-kInfinity), infinite("-")},
      {"-Inf, negative: allow", kAllow, measured(-kInfinity), infinite("-")},
      {"negative", kStrict, measured(-5), below_zero("-5")},
      {"barely negative", kStrict, measured(-5e-324), below_zero("-4.94066e-324")},
      {"the first that is too large",
       kStrict,
       measured(9223372036854776.0),
       too_large("9.22337e+15")},
      {"1e19", kStrict, measured(1e19), too_large("1e+19")},
      {"the largest double", kStrict, measured(1.7976931348623157e308), too_large("1.79769e+308")},
      {"-1e19, negative: allow", kAllow, measured(-1e19), too_large("-1e+19")},
      {"the first that is too small",
       kAllow,
       measured(-9223372036854776.0),
       too_large("-9.22337e+15")},
      {"another error, with empty set",
       kLenient,
       Error{Errc::unreachable, "gone", ""},
       "unreachable: gone"},
      {"a partial answer, with empty set",
       kLenient,
       Error{Errc::partial, "half", "why"},
       "partial: half <why>"},
  };

  for (const Bad& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto value = apply(row.policies, row.asked);

      CHECK(shown(value) == row.message);
    }
  }
}

TEST_CASE("only what the backend itself said is an answer") {
  CHECK(is_answer(kStrict, measured(1)));
  CHECK(is_answer(kStrict, measured(kNan)));
  CHECK(is_answer(kLenient, nothing()));
  CHECK_FALSE(is_answer(kStrict, nothing()));
  CHECK_FALSE(is_answer(kLenient, Error{Errc::timed_out, "", ""}));
}

}  // namespace
}  // namespace weir::scalers::read
