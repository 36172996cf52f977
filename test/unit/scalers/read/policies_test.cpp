#include "scalers/read/policies/fallback.hpp"
#include "scalers/read/policies/verdict.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::read {
namespace {

using namespace std::chrono_literals;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Answer answer_of(Result<Samples> samples) {
  return {std::move(samples), SteadyTime{}, WallTime{}, SteadyTime{}, Duration{}};
}
Answer measured(double value) { return answer_of(Sample{value, WallTime{}}); }
Answer failed(Errc code, std::string detail, std::string remote = "") {
  return answer_of(Error{code, std::move(detail), std::move(remote)});
}
Answer nothing() { return failed(Errc::no_value, "no series", "its words"); }
// An answer of a backend that had been back for so long.
Answer after_recovery(Duration span, Answer answer = measured(7)) {
  answer.time_since_recovery = span;
  return answer;
}

// The verdict on a scalar: its value, or the error.
Result<double> value_of(const Policies& policies,
                        const Answer& answer,
                        PolicySteps* steps = nullptr) {
  const Verdict verdict = judge(policies, answer, {}, steps);
  if (!verdict) return verdict.error();
  REQUIRE(verdict->size() == 1);
  return verdict->front().value;
}

struct Good {
  std::string_view name;
  Policies policies;
  Answer answer;
  double value;
};

struct Bad {
  std::string_view name;
  Policies policies;
  Answer answer;
  std::string message;
};

const Policies kStrict{{}, {}, NegativePolicy::error};
const Policies kZero{{}, {}, NegativePolicy::zero};
const Policies kAllow{{}, {}, NegativePolicy::allow};
const Policies kLenient{{3}, {4}, NegativePolicy::allow};
const Policies kClamped{.empty = {500},
                        .nan = {-1},
                        .negative = NegativePolicy::allow,
                        .clamp = {2, 10}};
const Policies kZeroAtTen{.zero_at_or_below = 10};
const Policies kBoth{.clamp = {{}, 50}, .zero_at_or_below = 10};
const Policies kSettling{.empty = {0}, .settle = 30s};

TEST_CASE("a value that an HPA can read is unchanged") {
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
      {"clamp, within", kClamped, measured(7), 7},
      {"clamp, at its min", kClamped, measured(2), 2},
      {"clamp, below its min", kClamped, measured(1.999), 2},
      {"clamp, below zero", kClamped, measured(-5), 2},
      {"clamp, at its max", kClamped, measured(10), 10},
      {"clamp, above its max", kClamped, measured(10.5), 10},
      {"clamp, beyond what an HPA reads", kClamped, measured(1e300), 10},
      {"clamp counts for the number of empty", kClamped, nothing(), 10},
      {"clamp counts for the number of nan", kClamped, measured(kNan), 2},
      {"zeroAtOrBelow: 10, above", kZeroAtTen, measured(10.001), 10.001},
      {"zeroAtOrBelow: 10, at", kZeroAtTen, measured(10), 0},
      {"zeroAtOrBelow: 10, below", kZeroAtTen, measured(0.5), 0},
      {"zeroAtOrBelow after clamp", kBoth, measured(70), 50},
      {"zeroAtOrBelow after clamp, low", kBoth, measured(9), 0},
      {"settle: 30s, a backend without an outage", kSettling, measured(7), 7},
      {"settle: 30s, back for 30 s", kSettling, after_recovery(30s), 7},
      {"no settle, back a moment ago", kStrict, after_recovery(1ms), 7},
  };

  for (const Good& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto value = value_of(row.policies, row.answer);

      REQUIRE(test::shown(value) == "a value");
      CHECK(*value == row.value);
    }
  }
}

TEST_CASE("a value that an HPA would misread is an error") {
  const std::string nan =
      "not_a_number: the value is NaN, as a quantile or a ratio without observations is; set nan: "
      "0 if that means idle";
  const auto infinite = [](std::string_view sign) {
    return "not_a_number: the value is " + std::string(sign) + "Inf; something was divided by zero";
  };
  const auto below_zero = [](std::string_view value) {
    return "negative: the value " + std::string(value) +
           " is negative; an HPA would scale to maxReplicas on it; set negative: zero or negative: "
           "allow if it is meant";
  };
  const auto too_large = [](std::string_view value) {
    return "out_of_range: the value " + std::string(value) +
           " is beyond 9.2e15, the most an HPA can read; use a larger unit";
  };
  const auto settling = [](std::string_view span) {
    return "settling: the backend recovered " + std::string(span) +
           " ago; values are ignored for 30 s after recovery (settle) because queues may look "
           "empty after a restart";
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
       failed(Errc::unreachable, "gone"),
       "unreachable: gone"},
      {"-Inf, clamped", kClamped, measured(-kInfinity), infinite("-")},
      {"+Inf, clamped", kClamped, measured(kInfinity), infinite("+")},
      {"a negative, with zeroAtOrBelow", kZeroAtTen, measured(-5), below_zero("-5")},
      {"too large, with a min alone", {.clamp = {2, {}}}, measured(1e19), too_large("1e+19")},
      {"settle: 30s, back just now", kSettling, after_recovery(0ms), settling("0 s")},
      {"settle: 30s, back for less", kSettling, after_recovery(29'999ms), settling("30 s")},
      {"settle: 30s, NaN", kSettling, after_recovery(1500ms, measured(kNan)), settling("1.5 s")},
      {"settle: 30s, nothing, with empty set",
       kSettling,
       after_recovery(1500ms, nothing()),
       settling("1.5 s")},
      {"settle: 30s, another error",
       kSettling,
       after_recovery(1500ms, failed(Errc::unknown_object, "no queue")),
       "unknown_object: no queue"},
      {"a partial answer, with empty set",
       kLenient,
       failed(Errc::partial, "half", "why"),
       "partial: half <why>"},
  };

  for (const Bad& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto value = value_of(row.policies, row.answer);

      CHECK(test::shown(value) == row.message);
    }
  }
}

TEST_CASE("a result that shows what the backend measured is conclusive") {
  CHECK(is_conclusive(kStrict, measured(1)));
  CHECK(is_conclusive(kStrict, measured(kNan)));
  CHECK(is_conclusive(kLenient, nothing()));
  CHECK_FALSE(is_conclusive(kStrict, nothing()));
  CHECK_FALSE(is_conclusive(kSettling, after_recovery(29s)));
  CHECK(is_conclusive(kSettling, after_recovery(30s)));
  CHECK_FALSE(is_conclusive(kLenient, failed(Errc::timed_out, "")));
}

constexpr SteadyTime kNow{1h};

// A query whose last good value was 7, so long ago.
struct Past {
  explicit Past(Duration ago) {
    Answer answer = measured(7);
    answer.at = kNow - ago;
    good = std::make_shared<const Answer>(std::move(answer));
  }
  AnswerPtr good;
  [[nodiscard]] History history() const { return {good, std::nullopt}; }
};

std::string shown(const std::optional<Substitute>& instead) {
  if (!instead) return "the error";
  REQUIRE(instead->values.size() == 1);
  return fmt::format("{:g}{}", instead->values.front().value, instead->is_held ? " held" : "");
}

TEST_CASE("a fallback replaces errors by the time since the last good value") {
  const Policies hold{.fallback = Fallback{.after = 45s, .hold = 120s}};
  const Policies value{.fallback = Fallback{.after = 45s, .value = 20}};
  const Policies zeroed{.zero_at_or_below = 10, .fallback = Fallback{.after = 45s, .hold = 120s}};
  struct Row {
    std::string_view name;
    const Policies& policies;
    Errc failure;
    Duration ago;
    std::string wanted;
  };
  const Row rows[] = {
      {"none is set", kStrict, Errc::unreachable, 60s, "the error"},
      {"hold, too soon", hold, Errc::unreachable, 44'999ms, "the error"},
      {"hold, from its time on", hold, Errc::unreachable, 45s, "7 held"},
      {"hold, as long as it says", hold, Errc::unreachable, 119'999ms, "7 held"},
      {"hold, no longer", hold, Errc::unreachable, 120s, "the error"},
      {"hold, long after", hold, Errc::unreachable, 1h, "the error"},
      {"hold, for any failure of the backend", hold, Errc::no_value, 60s, "7 held"},
      {"hold, for what is settling", hold, Errc::settling, 60s, "7 held"},
      {"hold, for a full queue", hold, Errc::overloaded, 60s, "7 held"},
      {"hold, not for a wrong request", hold, Errc::bad_request, 60s, "the error"},
      {"hold, after the policies", zeroed, Errc::timed_out, 60s, "0 held"},
      {"value, too soon", value, Errc::stale, 44'999ms, "the error"},
      {"value, from its time on", value, Errc::stale, 45s, "20"},
      {"value, for an object that does not exist", value, Errc::unknown_object, 45s, "20"},
      {"value, for ever", value, Errc::stale, 1h, "20"},
      {"value, not for a wrong request", value, Errc::bad_request, 1h, "the error"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Past past(row.ago);

      const auto instead = fall_back(row.policies,
                                     Error{row.failure, "failed", ""},
                                     past.history(),
                                     kNow,
                                     WallTime{});

      CHECK(shown(instead) == row.wanted);
    }
  }
}

TEST_CASE(
    "without a good value there is nothing to hold, and a value counts from the first failure") {
  const Policies hold{.fallback = Fallback{.after = 45s, .hold = 120s}};
  const Policies value{.fallback = Fallback{.after = 45s, .value = 20}};
  const Error failure{Errc::unreachable, "gone", ""};
  const History failing{nullptr, kNow - 60s};

  CHECK(shown(fall_back(hold, failure, failing, kNow, WallTime{})) == "the error");
  CHECK(shown(fall_back(value, failure, failing, kNow, WallTime{})) == "20");
  CHECK(shown(fall_back(value, failure, {nullptr, kNow - 44s}, kNow, WallTime{})) == "the error");
  CHECK(shown(fall_back(value, failure, {}, kNow, WallTime{})) == "the error");
}

struct Traced {
  std::string_view name;
  Policies policies;
  Answer answer;
  PolicySteps steps;
};

Answer missing() { return answer_of(Sample{.value = 0, .taken_at = {}, .is_missing = true}); }
Answer aged() { return answer_of(Sample{9, {}, false, DataAge{12'300ms, 30s}}); }

PolicySet changes_in(const PolicySteps& steps) {
  PolicySet out;
  for (const PolicyStep& step : steps) {
    if (step.is_change) out.set(static_cast<std::size_t>(step.policy));
  }
  return out;
}

TEST_CASE("each policy that is set or had an effect notes it, in the order in which they apply") {
  const Policies all{.clamp = {{}, 50}, .zero_at_or_below = 10, .settle = 30s};
  const Traced rows[] = {
      {"nothing is set", kStrict, measured(7), {}},
      {"no value", kStrict, nothing(), {{Policy::empty, "there is no value, which is an error"}}},
      {"no value, a number",
       kLenient,
       nothing(),
       {{Policy::empty, "there is no value, reported as 3", true}}},
      {"NaN", kStrict, measured(kNan), {{Policy::nan, "the value is NaN, which is an error"}}},
      {"NaN, a number",
       kLenient,
       measured(kNan),
       {{Policy::nan, "the value is NaN, reported as 4", true}}},
      {"negative", kStrict, measured(-5), {{Policy::negative, "-5 is an error"}}},
      {"negative: zero", kZero, measured(-5), {{Policy::negative, "-5 is reported as 0", true}}},
      {"negative: allow", kAllow, measured(-5), {{Policy::negative, "-5 is allowed"}}},
      {"a missing object",
       kStrict,
       missing(),
       {{Policy::missing, "the object does not exist, reported as 0", true}}},
      {"the data's age",
       kStrict,
       aged(),
       {{Policy::max_age,
         "the newest data was 12.3 s old when it was queried; at most 30 s is allowed"}}},
      {"data that is too old",
       kLenient,
       answer_of(Error{Errc::stale, "old", ""}),
       {{Policy::max_age, "the data is older than it may be, which is an error"}}},
      {"all at once",
       all,
       after_recovery(95s, measured(70)),
       {{Policy::settle, "the backend had recovered 95 s before; its values count after 30 s"},
        {Policy::clamp, "70 is above max, reported as 50", true},
        {Policy::zero_at_or_below, "50 is above 10"}}},
      {"below min",
       {.clamp = {2, {}}},
       measured(1),
       {{Policy::clamp, "1 is below min, reported as 2", true}}},
      {"none had to do anything",
       all,
       measured(7),
       {{Policy::settle, "the backend has had no outage"},
        {Policy::clamp, "7 is within its bounds"},
        {Policy::zero_at_or_below, "7 is at or below 10, reported as 0", true}}},
      {"zero is no change",
       {.zero_at_or_below = 1},
       measured(0),
       {{Policy::zero_at_or_below, "0 is at or below 1"}}},
      {"an error ends it",
       all,
       after_recovery(3s),
       {{Policy::settle, "the backend had recovered 3 s before; its values count after 30 s"}}},
  };

  for (const Traced& row : rows) {
    DYNAMIC_SECTION(row.name) {
      PolicySteps steps;

      const auto traced = value_of(row.policies, row.answer, &steps);
      const Verdict verdict = judge(row.policies, row.answer);

      CHECK(steps == row.steps);
      CHECK(test::shown(traced) == test::shown(value_of(row.policies, row.answer)));
      if (verdict) CHECK(verdict->front().changes == changes_in(row.steps));
    }
  }
}

TEST_CASE("a fallback notes its effect, or why it had none") {
  const Policies hold{.fallback = Fallback{.after = 45s, .hold = 120s}};
  const Policies value{.fallback = Fallback{.after = 45s, .value = 20}};
  const auto note = [](const Policies& policies, Errc failure, const History& history) {
    PolicySteps steps;
    static_cast<void>(
        fall_back(policies, Error{failure, "", ""}, history, kNow, WallTime{}, {}, &steps));
    REQUIRE(steps.size() == 1);
    CHECK(steps.front().policy == Policy::fallback);
    return steps.front().text;
  };

  CHECK(note(hold, Errc::stale, Past(9s).history()) ==
        "the last good value was 9 s ago; it begins after 45 s");
  CHECK(note(hold, Errc::stale, Past(60s).history()) ==
        "the last good value was 60 s ago, 7 is reported again");
  CHECK(note(hold, Errc::stale, Past(150s).history()) ==
        "the last good value was 150 s ago and is held for 120 s");
  CHECK(note(hold, Errc::stale, {nullptr, kNow - 60s}) == "there is no good value to hold");
  CHECK(note(value, Errc::stale, {nullptr, kNow - 60s}) ==
        "the first failure was 60 s ago, reported as 20");
  CHECK(note(hold, Errc::bad_request, Past(60s).history()) ==
        "not used, because the request itself is wrong");
}

}  // namespace
}  // namespace weir::scalers::read
