#include "scalers/read/reader.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using test::settle;
using Texts = std::vector<std::string>;
using namespace std::chrono_literals;

TEST_CASE("every query, and every result without a query, is reported once") {
  Rig rig({MetricSpec{}});

  rig.value();
  rig.value();
  rig.clock.advance(5000ms);
  rig.script.replies.insert_or_assign("depth", Error{Errc::no_value, "as scripted", ""});
  rig.value();

  CHECK(rig.events.reads ==
        Texts{"broker ml/depth ok 0", "broker ml/depth cached", "broker ml/depth no_value 0"});
  CHECK(rig.events.values == Texts{"broker ml/depth 7", "broker ml/depth 7"});
}

TEST_CASE("a joined read is reported as shared, with the time that the query took") {
  Rig rig({MetricSpec{}});
  rig.script.is_held = true;

  auto first = rig.begin({"ml", "depth", {}});
  auto second = rig.begin({"ml", "depth", {}});
  settle(*rig.loop);
  rig.clock.advance(30ms);
  rig.script.release.raise();
  settle(*rig.loop);

  CHECK(rig.events.reads == Texts{"broker ml/depth shared", "broker ml/depth ok 30"});
  CHECK(rig.events.values == Texts{"broker ml/depth 7", "broker ml/depth 7"});
}

TEST_CASE("a query without room is reported as overloaded") {
  Rig rig({MetricSpec{}, MetricSpec{.name = "other", .key = "other"}},
          {.max_in_flight = 1, .max_waiting = 0});
  rig.script.is_held = true;

  auto first = rig.begin({"ml", "depth", {}});
  auto second = rig.begin({"ml", "other", {}});
  settle(*rig.loop);

  CHECK(rig.events.reads == Texts{"broker ml/other overloaded 0"});
  rig.script.release.raise();
  settle(*rig.loop);
}

TEST_CASE("the outcome of a query is that after its policies") {
  Rig rig({MetricSpec{.policies = {{0}, {}, NegativePolicy::error}}});
  rig.script.replies.insert_or_assign("depth", Error{Errc::no_value, "as scripted", ""});

  rig.value();

  CHECK(rig.events.reads == Texts{"broker ml/depth ok 0", "broker ml/depth empty"});
}

TEST_CASE(
    "a read is reported with each policy that changed its number, whichever metric sent the "
    "query") {
  Rig rig({MetricSpec{},
           MetricSpec{.name = "bounded", .policies = {.clamp = {{}, 5}, .zero_at_or_below = 5}}});

  rig.value();
  rig.value({"ml", "bounded", {}});

  CHECK(rig.events.reads == Texts{"broker ml/depth ok 0",
                                  "broker ml/bounded cached",
                                  "broker ml/bounded clamp",
                                  "broker ml/bounded zeroAtOrBelow"});
}

TEST_CASE("a value is reported with its labels, and an unknown metric is not reported") {
  Rig rig({MetricSpec{.labels = {{"queue", "[a-z]+"}}, .rendered = {"queue"}}});

  rig.read({"ml", "depth", {{"queue", LabelRequirement::Operator::equals, {"a"}}}});
  rig.read({"ml", "nope", {}});

  CHECK(rig.events.reads == Texts{"broker ml/depth ok 0"});
  CHECK(rig.events.values == Texts{"broker ml/depth queue=a 7"});
}

TEST_CASE("a read that ends in an error reports no value, also of its queries that have one") {
  Rig rig({MetricSpec{.labels = {{"queue", "[a-z]+"}}, .key = "depth", .rendered = {"queue"}}});
  rig.script.replies.emplace("depth b", Error{Errc::no_value, "as scripted", ""});

  rig.read({"ml", "depth", {{"queue", LabelRequirement::Operator::in, {"a", "b"}}}});

  CHECK(rig.events.reads == Texts{"broker ml/depth ok 0", "broker ml/depth no_value 0"});
  CHECK(rig.events.values.empty());
}

}  // namespace
}  // namespace weir::scalers::read
