// Selectors that choose among the labelled samples of one answer, as Kubernetes matches labels.
#include "scalers/read/labels.hpp"
#include "scalers/read/reader.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using namespace std::chrono_literals;
using Operator = LabelRequirement::Operator;

TEST_CASE("requirements match labels by Kubernetes' semantics") {
  struct Row {
    std::string_view name;
    LabelRequirement requirement;
    bool is_match;
  };
  const Labels labels{{"queue", "mail"}, {"shard", "7"}, {"empty", ""}};
  const Row rows[] = {
      {"=, the value", {"queue", Operator::equals, {"mail"}}, true},
      {"=, another value", {"queue", Operator::equals, {"jobs"}}, false},
      {"=, no such label", {"zone", Operator::equals, {"mail"}}, false},
      {"==, the value", {"queue", Operator::double_equals, {"mail"}}, true},
      {"=, an empty value", {"empty", Operator::equals, {""}}, true},
      {"=, an empty value of no label", {"zone", Operator::equals, {""}}, false},
      {"in, among them", {"queue", Operator::in, {"jobs", "mail"}}, true},
      {"in, not among them", {"queue", Operator::in, {"a", "b"}}, false},
      {"in, no such label", {"zone", Operator::in, {"a", "mail"}}, false},
      {"notin, among them", {"queue", Operator::not_in, {"jobs", "mail"}}, false},
      {"notin, not among them", {"queue", Operator::not_in, {"a", "b"}}, true},
      {"notin, no such label", {"zone", Operator::not_in, {"a"}}, true},
      {"!=, the value", {"queue", Operator::not_equals, {"mail"}}, false},
      {"!=, another value", {"queue", Operator::not_equals, {"jobs"}}, true},
      {"!=, no such label", {"zone", Operator::not_equals, {"a"}}, true},
      {"exists", {"queue", Operator::exists, {}}, true},
      {"exists, empty", {"empty", Operator::exists, {}}, true},
      {"exists, no such label", {"zone", Operator::exists, {}}, false},
      {"!, there", {"queue", Operator::does_not_exist, {}}, false},
      {"!, not there", {"zone", Operator::does_not_exist, {}}, true},
      {">, above", {"shard", Operator::greater_than, {"6"}}, true},
      {">, equal", {"shard", Operator::greater_than, {"7"}}, false},
      {">, a number with a plus", {"shard", Operator::greater_than, {"+6"}}, true},
      {">, a number with two signs", {"shard", Operator::greater_than, {"+-6"}}, false},
      {">, no number", {"queue", Operator::greater_than, {"6"}}, false},
      {">, no such label", {"zone", Operator::greater_than, {"-1"}}, false},
      {"<, below", {"shard", Operator::less_than, {"10"}}, true},
      {"<, equal", {"shard", Operator::less_than, {"7"}}, false},
      {"<, an empty value", {"empty", Operator::less_than, {"7"}}, false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(matches({&row.requirement, 1}, labels) == row.is_match); }
  }
}

TEST_CASE("every requirement has to match, and an empty selector matches everything") {
  const Labels labels{{"queue", "mail"}, {"shard", "7"}};
  const std::vector<LabelRequirement> both{{"queue", Operator::exists, {}},
                                           {"shard", Operator::equals, {"8"}}};

  CHECK_FALSE(matches(both, labels));
  CHECK(matches({}, labels));
  CHECK(matches({}, Labels{}));
}

Sample sample(double value, Labels labels) {
  return {.value = value, .taken_at = WallTime{} + 42s, .labels = std::move(labels)};
}

// A metric of which the backend has three samples, one of them NaN.
struct Filtered {
  explicit Filtered(Policies policies = {})
      : rig({MetricSpec{.policies = policies, .selector_mode = SelectorMode::filter}}) {
    rig.script.replies.insert_or_assign(
        "depth",
        Samples(std::vector{sample(3, {{"queue", "mail"}}),
                            sample(4, {{"queue", "jobs"}}),
                            sample(std::nan(""), {{"queue", "idle"}})}));
  }
  Rig::Readings read(std::vector<LabelRequirement> requirements) {
    return rig.read({"ml", "depth", std::move(requirements)});
  }
  Rig rig;
};

TEST_CASE("a filter selects the matching samples with their labels, from one query") {
  Filtered metric;

  const auto both = metric.read({{"queue", Operator::in, {"jobs", "mail"}}});
  const auto one = metric.read({{"queue", Operator::equals, {"jobs"}}});

  REQUIRE(both.has_value());
  REQUIRE(both->size() == 2);
  CHECK((*both)[0].labels == Labels{{"queue", "mail"}});
  CHECK((*both)[0].value == 3);
  CHECK((*both)[1].labels == Labels{{"queue", "jobs"}});
  CHECK((*both)[1].value == 4);
  REQUIRE(one.has_value());
  REQUIRE(one->size() == 1);
  CHECK(one->front().value == 4);
  CHECK(metric.rig.script.queries.size() == 1);
}

TEST_CASE("a sample that is an error makes the read an error, unless the filter excludes it") {
  Filtered metric;

  CHECK(test::shown(metric.read({}).error()).find("the value is NaN") != std::string::npos);
  CHECK(metric.read({{"queue", Operator::not_equals, {"idle"}}}).has_value());
}

TEST_CASE("a filter without a match is an error that names the labels, never an empty list") {
  Filtered metric;

  const auto none = metric.read({{"queue", Operator::equals, {"nope"}}});

  CHECK(test::shown(none.error()) ==
        "no_value: metric ml/depth: fake broker: the selector matches no sample (3 measured); the "
        "first one has the labels <{queue=mail}>");
}

TEST_CASE("empty, nan and clamp apply to each sample that a filter selects") {
  Filtered metric({.empty = {0}, .nan = {1}, .clamp = {{}, 3}});

  const auto all = metric.read({});
  const auto none = metric.read({{"queue", Operator::equals, {"nope"}}});

  REQUIRE(all.has_value());
  REQUIRE(all->size() == 3);
  CHECK((*all)[0].value == 3);
  CHECK((*all)[1].value == 3);
  CHECK((*all)[2].value == 1);
  REQUIRE(none.has_value());
  CHECK(none->size() == 1);
  CHECK(none->front().value == 0);
}

TEST_CASE("a fallback holds the samples that the filter selects") {
  Filtered metric({.nan = {0}, .fallback = Fallback{.after = 0s, .hold = 60s}});
  REQUIRE(metric.read({{"queue", Operator::equals, {"jobs"}}}).has_value());
  metric.rig.script.replies.insert_or_assign("depth", Error{Errc::unreachable, "gone", ""});
  metric.rig.clock.advance(6s);

  const auto held = metric.read({{"queue", Operator::equals, {"jobs"}}});

  REQUIRE(held.has_value());
  REQUIRE(held->size() == 1);
  CHECK(held->front().labels == Labels{{"queue", "jobs"}});
  CHECK(held->front().value == 4);
}

TEST_CASE("each filter has a fallback of its own") {
  Filtered metric({.nan = {0}, .fallback = Fallback{.after = 0s, .hold = 60s}});
  REQUIRE(metric.read({{"queue", Operator::equals, {"jobs"}}}).has_value());
  metric.rig.script.replies.insert_or_assign("depth",
                                             Samples(std::vector{sample(3, {{"queue", "mail"}})}));
  metric.rig.clock.advance(6s);
  REQUIRE(metric.read({{"queue", Operator::equals, {"mail"}}}).has_value());

  const auto held = metric.read({{"queue", Operator::equals, {"jobs"}}});

  REQUIRE(held.has_value());
  CHECK(held->front().value == 4);
}

TEST_CASE("a query of a filtering metric is a success, whatever its samples are") {
  Filtered metric;

  CHECK(metric.read({}).has_error());

  CHECK(metric.rig.events.reads == std::vector<std::string>{"broker ml/depth ok 0"});
}

}  // namespace
}  // namespace weir::scalers::read
