// Explanations, and causes that failing reads show, over scripted scalers.
#include "scalers/read/policies/effects.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using test::settle;
using test::shown;
using Value = std::variant<double, std::string>;
using namespace std::chrono_literals;

Error nothing() { return {Errc::no_value, "no series", ""}; }

Result<Explanation> explain(Rig& rig, Query query = {"ml", "depth", {}}) {
  return test::run(
      *rig.loop,
      rig.reader->explain(std::move(query), Deadline::after(rig.clock.steady(), Duration{10'000})));
}

TEST_CASE("an explanation queries the backend again and changes nothing that reads get") {
  Rig rig({MetricSpec{}});
  rig.script.can_diagnose = true;
  CHECK(rig.value() == Value(7.0));
  rig.script.replies.emplace("depth", nothing());

  const auto explained = explain(rig);

  REQUIRE(explained.has_value());
  CHECK(rig.script.queries.size() == 2);
  const Explanation::BackendQuery& query = explained->queries.at(0);
  CHECK(query.text == "query: depth");
  CHECK(shown(query.result) ==
        "no_value: metric ml/depth: fake broker: no series; diagnosis: the target is down");
  CHECK(query.diagnosis->findings == std::vector<std::string>{"1 target, down"});
  CHECK(rig.value() == Value(7.0));
  CHECK(rig.script.queries.size() == 2);
  CHECK(rig.events.backends.empty());
  CHECK(rig.events.reads ==
        std::vector<std::string>{"broker ml/depth ok 0", "broker ml/depth cached"});
}

TEST_CASE(
    "an explanation has one query for each value of the selector, and a diagnosis of the first "
    "failure") {
  Rig rig({MetricSpec{.labels = {{"queue", "[a-z]+"}}, .key = "depth of", .rendered = {"queue"}}});
  rig.script.can_diagnose = true;
  rig.script.replies.emplace("depth of b", nothing());
  rig.script.replies.emplace("depth of c", nothing());

  const auto explained =
      explain(rig, {"ml", "depth", {{"queue", LabelRequirement::Operator::in, {"a", "b", "c"}}}});

  REQUIRE(explained.has_value());
  REQUIRE(explained->queries.size() == 3);
  CHECK(explained->queries[0].reply->front().value == 7.0);
  CHECK_FALSE(explained->queries[0].diagnosis.has_value());
  CHECK(explained->queries[1].diagnosis.has_value());
  CHECK_FALSE(explained->queries[2].diagnosis.has_value());
}

TEST_CASE("an invalid request is not explained") {
  Rig rig({MetricSpec{}});

  CHECK(shown(explain(rig, {"ml", "deph", {}})) ==
        "unknown_metric: metric ml/deph is not configured; did you mean \"depth\"?");
  CHECK(explain(rig, {"ml", "depth", {{"x", LabelRequirement::Operator::equals, {"y"}}}})
            .error()
            .code == Errc::bad_request);
  CHECK(rig.script.queries.empty());
}

TEST_CASE("a namespace has two explanations at once, another one its own") {
  Rig rig({MetricSpec{.namespaces = {"ml", "shop"}}});
  rig.script.is_held = true;
  std::vector<test::Pending<Result<Explanation>>> open;
  const auto begin = [&](std::string name_space) {
    return test::start(*rig.loop,
                       rig.reader->explain({std::move(name_space), "depth", {}},
                                           Deadline::after(rig.clock.steady(), Duration{10'000})));
  };
  for (const char* from : {"ml", "ml", "shop"}) open.push_back(begin(from));
  settle(*rig.loop);

  const auto refused = explain(rig);
  rig.script.release.raise();
  settle(*rig.loop);

  CHECK(shown(refused) ==
        "overloaded: 2 explanations are in progress for namespace ml; try again in a moment");
  CHECK((*open.back())->has_value());
  CHECK(explain(rig).has_value());
}

TEST_CASE("a bug in a scaler is part of the explanation") {
  Rig rig({MetricSpec{}});
  rig.script.has_bug = true;

  const auto explained = explain(rig);

  REQUIRE(explained.has_value());
  CHECK(shown(explained->queries.at(0).reply.error()) ==
        "bad_reply: an internal error; please report it <a bug at [hidden]>");
}

TEST_CASE("a failing read shows its cause from the next read on, and no cause after a success") {
  Rig rig({MetricSpec{}});
  rig.script.can_diagnose = true;
  rig.script.replies.emplace("depth", nothing());
  const std::string bare = "no_value: metric ml/depth: fake broker: no series";

  rig.script.is_diagnosis_held = true;
  CHECK(rig.value() == Value(bare));
  rig.script.release.raise();
  settle(*rig.loop);
  CHECK(rig.script.diagnoses.size() == 1);
  CHECK(rig.value() == Value(bare + "; diagnosis: the target is down"));
  rig.clock.advance(Duration{2000});
  CHECK(rig.value() == Value(bare + "; diagnosis: the target is down"));
  CHECK(rig.script.diagnoses.size() == 1);
  rig.script.replies.clear();
  rig.clock.advance(Duration{2000});
  CHECK(rig.value() == Value(7.0));
  rig.script.replies.emplace("depth", nothing());
  rig.script.diagnosis.cause = "the job is gone";
  rig.clock.advance(Duration{6000});
  CHECK(rig.value() == Value(bare + "; diagnosis: the job is gone"));
}

TEST_CASE("there is no diagnosis where the metric turns the error into a number") {
  Rig rig({MetricSpec{.policies = {.empty = {3}, .nan = {}}}});
  rig.script.can_diagnose = true;
  rig.script.replies.emplace("depth", nothing());

  CHECK(rig.value() == Value(3.0));
  settle(*rig.loop);
  CHECK(rig.script.diagnoses.empty());
  CHECK(explain(rig)->queries.at(0).diagnosis->cause == "the target is down");
}

TEST_CASE("a number that replaces a missing object is diagnosed only by an explanation") {
  Rig rig({MetricSpec{}});
  rig.script.can_diagnose = true;
  rig.script.replies.emplace("depth", Sample{.value = 0, .taken_at = {}, .is_missing = true});

  CHECK(rig.value() == Value(0.0));
  settle(*rig.loop);
  CHECK(rig.script.diagnoses.empty());
  const auto explained = explain(rig);
  CHECK(explained->queries.at(0).diagnosis->cause == "the target is down");
  CHECK(explained->queries.at(0).result->front().value == 0.0);
}

TEST_CASE("there is no diagnosis while a backend settles") {
  Rig rig({MetricSpec{.policies = {.settle = 30s}}});
  rig.script.can_diagnose = true;
  rig.script.connections.recovered_at = rig.clock.steady();
  rig.script.replies.emplace("depth", nothing());

  CHECK(shown(rig.read()).starts_with("settling: "));
  settle(*rig.loop);
  CHECK(rig.script.diagnoses.empty());
  CHECK(shown(explain(rig)->queries.at(0).result).find("diagnosis") == std::string::npos);
}

TEST_CASE("an explanation reports the fallback's number and starts no fallback") {
  const Policies policies{.fallback = Fallback{.after = 10s, .value = 20}};
  Rig rig({MetricSpec{.policies = policies}});
  rig.script.replies.emplace("depth", Error{Errc::unreachable, "gone", ""});
  const Value gone("unreachable: metric ml/depth: fake broker: gone");

  CHECK(explain(rig)->queries.at(0).result.has_error());
  rig.clock.advance(15s);
  CHECK(rig.value() == gone);
  rig.clock.advance(15s);
  const auto explained = explain(rig);
  CHECK(explained->queries.at(0).result->front().value == 20);
  CHECK(shown(explained->queries.at(0).reply.error()) == "unreachable: gone");
  CHECK(explained->queries.at(0).policies.back().effect ==
        "the first failure was 15 s ago, reported as 20");
  CHECK(std::ranges::count(rig.events.reads, "broker ml/depth fallback") == 0);
}

TEST_CASE("data that gets too old during an explanation is an error, as in a read") {
  Rig rig({MetricSpec{}});
  rig.script.is_held = true;
  rig.script.replies.insert_or_assign("depth", Sample{7, WallTime{}, false, DataAge{29s, 30s}});

  auto explained =
      test::start(*rig.loop,
                  rig.reader->explain({"ml", "depth", {}},
                                      Deadline::after(rig.clock.steady(), Duration{10'000})));
  settle(*rig.loop);
  rig.clock.advance(1001ms);
  rig.script.release.raise();
  const auto late = test::finish(*rig.loop, std::move(explained));

  REQUIRE(late.has_value());
  CHECK(shown(late->queries.at(0).result).starts_with("stale: metric ml/depth"));
}

TEST_CASE("an explanation of a held reading has that reading's time") {
  const Policies policies{.fallback = Fallback{.after = 10s, .hold = 60s}};
  Rig rig({MetricSpec{.policies = policies}});

  rig.value();
  rig.script.replies.emplace("depth", Error{Errc::unreachable, "gone", ""});
  rig.clock.advance(15s);
  const auto explained = explain(rig);

  CHECK(explained->queries.at(0).result->front().value == 7);
  CHECK(explained->queries.at(0).result->front().taken_at == WallTime{} + 42s);
}

TEST_CASE("an explanation settles like a read, and does not end settling for reads") {
  Rig rig({MetricSpec{.policies = {.settle = 30s}}});
  rig.script.replies.emplace("depth", Error{Errc::unreachable, "gone", ""});
  rig.value();
  rig.script.replies.clear();
  rig.clock.advance(2s);

  const auto explained = explain(rig);
  rig.clock.advance(31s);
  const auto later = explain(rig);

  CHECK(explained->queries.at(0).result.error().code == Errc::settling);
  CHECK(explained->queries.at(0).policies.front().effect ==
        "the backend had recovered 0 s before; its values count after 30 s");
  CHECK(later->queries.at(0).result.error().code == Errc::settling);
}

TEST_CASE("each policy is shown with its setting and its effect") {
  struct Row {
    std::string_view name;
    Policies policies;
    Result<Sample> sample;
    std::vector<std::string> shown;
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto measured = [](double value) { return Result<Sample>(Sample{value, WallTime{}}); };
  const std::string empty = "empty: error (not used)";
  const std::string nan = "nan: error (not used)";
  const std::string negative = "negative: error (not used)";
  const Row rows[] = {
      {"a value", {}, measured(7), {empty, nan, negative}},
      {"no value",
       {},
       nothing(),
       {"empty: error (there is no value, which is an error)", nan, negative}},
      {"empty: 3",
       {.empty = {3}},
       nothing(),
       {"empty: 3 (there is no value, reported as 3)", nan, negative}},
      {"nan: 0",
       {.nan = {0}},
       measured(kNan),
       {empty, "nan: 0 (the value is NaN, reported as 0)", negative}},
      {"negative: zero",
       {.negative = NegativePolicy::zero},
       measured(-2),
       {empty, nan, "negative: zero (-2 is reported as 0)"}},
      {"another error",
       {.empty = {3}},
       Error{Errc::timed_out, "late", ""},
       {"empty: 3 (not used)", nan, negative}},
      {"missing: 0",
       {},
       Sample{.value = 0, .taken_at = {}, .is_missing = true},
       {"missing: 0 (the object does not exist, reported as 0)", empty, nan, negative}},
      {"maxAge",
       {},
       Sample{.value = 7, .taken_at = {}, .data_age = DataAge{12s, 30s}},
       {empty,
        "maxAge: 30s (the newest data was 12 s old when it was queried; at most 30 s is allowed)",
        nan,
        negative}},
      {"data that is too old",
       {},
       Error{Errc::stale, "old", ""},
       {empty, "maxAge: set (the data is older than it may be, which is an error)", nan, negative}},
      {"all the others",
       {.clamp = {1, 50},
        .zero_at_or_below = 10,
        .fallback = Fallback{.after = 45s, .hold = 120s},
        .settle = 1500ms},
       measured(70),
       {"settle: 1500ms (the backend has had no outage)",
        empty,
        nan,
        negative,
        "clamp: {min: 1, max: 50} (70 is above max, reported as 50)",
        "zeroAtOrBelow: 10 (50 is above 10)",
        "fallback: {after: 45s, hold: 120s} (not used)"}},
      {"one bound and a fallback's number",
       {.clamp = {{}, 50}, .fallback = Fallback{.after = 45s, .value = 20}},
       measured(7),
       {empty,
        nan,
        negative,
        "clamp: {max: 50} (7 is within its bounds)",
        "fallback: {after: 45s, value: 20} (not used)"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Answer answer{row.sample, {}, {}, {}, Duration{2500}};
      PolicySteps steps;
      static_cast<void>(judge(row.policies, answer, {}, &steps));

      std::vector<std::string> shown;
      for (const auto& policy : effects_of(row.policies, answer, steps))
        shown.push_back(policy.name + ": " + policy.setting + " (" + policy.effect + ")");

      CHECK(shown == row.shown);
    }
  }
}

}  // namespace
}  // namespace weir::scalers::read
