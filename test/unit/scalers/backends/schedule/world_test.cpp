// A kind without backends within a configuration.
#include "scalers/read/world.hpp"

#include "scalers/explanation.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::hours;
using std::chrono::minutes;

// 2026-12-01 is a Tuesday; Berlin is an hour ahead of UTC.
constexpr WallTime kTuesday = std::chrono::sys_days{std::chrono::year{2026} / 12 / 1};

constexpr std::string_view kMetrics =
    "{metrics: [{name: m, namespaces: [ml], schedule: {timeZone: Europe/Berlin, windows: [{days: "
    "mon-fri, from: '08:00', to: '18:00', value: 8}], otherwise: 2}},\n"
    "{name: n, namespaces: [ml], schedule: {timeZone: UTC, windows: [{from: '0 8 * * *', to: '0 18 "
    "* "
    "* *', value: 7}], otherwise: 1}}]}";

struct Site {
  std::unique_ptr<World> build(std::string_view text) {
    const std::vector<Node> documents{test::node(text)};
    return World::build(documents, loop, clients, clock, events, problems);
  }
  double read(World& world, const std::string& metric) {
    const auto readings = test::run(
        loop,
        world.source().read({"ml", metric, {}}, Deadline::after(clock.steady(), Duration{1000})));
    REQUIRE(readings.has_value());
    return readings->front().value;
  }
  std::string explained(World& world) {
    const auto explanation =
        test::run(loop,
                  world.explainer().explain({"ml", "m", {}},
                                            Deadline::after(clock.steady(), Duration{1000})));
    REQUIRE(explanation.has_value());
    return explanation->queries.front().text;
  }

  test::FakeClock clock;
  test::ReadEvents events;
  Loop loop;
  Clients clients{loop};
  Problems problems;
};

TEST_CASE("a schedule needs no backend, and its value follows the clock") {
  Site site;
  site.clock.advance(
      std::chrono::duration_cast<Duration>(kTuesday + hours{6} + minutes{59} - site.clock.wall()));
  const auto world = site.build(kMetrics);
  REQUIRE(site.problems.lines() == Lines{});

  CHECK(site.read(*world, "m") == 2);
  CHECK(site.read(*world, "n") == 1);
  CHECK(site.explained(*world) ==
        "Tue 2026-12-01 07:59 CET in Europe/Berlin: otherwise; 8 from Tue 2026-12-01 08:00 CET on "
        "(mon-fri 08:00-18:00)");

  site.clock.advance(minutes{1});

  CHECK(site.read(*world, "m") == 8);
  CHECK(
      site.explained(*world) ==
      "Tue 2026-12-01 08:00 CET in Europe/Berlin: mon-fri 08:00-18:00; 2 from Tue 2026-12-01 18:00 "
      "CET on (otherwise)");
}

TEST_CASE("all schedules have one backend in common, under the kind's name") {
  Site site;

  const auto world = site.build(kMetrics);

  REQUIRE(world != nullptr);
  REQUIRE(world->backends().size() == 1);
  CHECK(world->backends().front().name == "schedule");
  CHECK(world->metrics().front().backend == "schedule");
  CHECK(world->metrics().front().kind == "schedule");
}

TEST_CASE("a backend can neither be a schedule nor have its name beside one") {
  Site block;
  block.build("{backends: {clock:\n{schedule: {}}}}");
  CHECK(block.problems.lines() ==
        Lines{"t.yaml:2:2: schedule needs no backend; write the block schedule: in a metric"});

  Site name;
  name.build(std::string("{backends: {schedule: {prometheus: {url: 'http://p'}}},\n") +
             std::string(kMetrics.substr(1)));
  CHECK(
      name.problems.lines() ==
      Lines{
          "t.yaml:2:11: metrics of kind schedule need the name schedule, which a backend has; "
          "give that backend another name",
          "t.yaml:3:1: metrics of kind schedule need the name schedule, which a backend has; give "
          "that backend another name"});
}

TEST_CASE("a label of a schedule is refused, because nothing uses it") {
  Site site;

  site.build(
      "{metrics: [{name: m, namespaces: [ml], labels: {a: b}, schedule: {timeZone: UTC, windows: "
      "[{from: '08:00', to: '18:00', value: 8}], otherwise: 2}}]}");

  REQUIRE(site.problems.size() == 1);
  CHECK(site.problems.all().front().what.starts_with("label a is declared but nothing uses $(a)"));
}

}  // namespace
}  // namespace weir::scalers
