// Which question under way a read joins: its answer must not be older than the metric takes.
#include "scalers/read/reader.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

namespace weir::scalers::read {
namespace {

using test::finish;
using test::MetricSpec;
using test::Rig;
using test::settle;
using namespace std::chrono_literals;

TEST_CASE(
    "a metric with a short deadline joins a query with a long deadline only while the query is "
    "recent") {
  Rig rig({MetricSpec{.name = "patient", .freshness = 700ms, .deadline = 1000ms},
           MetricSpec{.name = "hasty", .freshness = 100ms, .deadline = 500ms}});
  rig.script.is_held = true;

  const auto patient = rig.begin({"ml", "patient", {}});
  settle(*rig.loop);
  rig.clock.advance(500ms);
  const auto young = rig.begin({"ml", "hasty", {}});
  settle(*rig.loop);
  const auto asked_while_young = rig.script.queries.size();
  rig.clock.advance(1ms);
  const auto old = rig.begin({"ml", "hasty", {}});
  settle(*rig.loop);
  const auto asked_when_old = rig.script.queries.size();
  rig.script.release.raise();

  CHECK(asked_while_young == 1);
  CHECK(asked_when_old == 2);
  CHECK(finish(*rig.loop, patient).has_value());
  CHECK(finish(*rig.loop, young).has_value());
  CHECK(finish(*rig.loop, old).has_value());
}

TEST_CASE("a metric joins a query as old as its freshness, whatever its deadline") {
  Rig rig({MetricSpec{.name = "patient", .freshness = 700ms, .deadline = 1000ms},
           MetricSpec{.name = "easy", .freshness = 800ms, .deadline = 500ms}});
  rig.script.is_held = true;

  const auto patient = rig.begin({"ml", "patient", {}});
  settle(*rig.loop);
  rig.clock.advance(800ms);
  const auto easy = rig.begin({"ml", "easy", {}});
  settle(*rig.loop);
  rig.script.release.raise();

  CHECK(finish(*rig.loop, easy).has_value());
  CHECK(finish(*rig.loop, patient).has_value());
  CHECK(rig.script.queries.size() == 1);
}

}  // namespace
}  // namespace weir::scalers::read
