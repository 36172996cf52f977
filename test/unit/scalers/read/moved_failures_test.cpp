// Failing reads of metrics that a reload gives another backend: because their file is skipped, is
// valid again, or names another one.
#include "scalers/read/world.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers {
namespace {

using Texts = std::vector<std::string>;
using Operator = LabelRequirement::Operator;
using namespace std::chrono_literals;

const std::string kBackends =
    "{backends: {prom: {prometheus: {url: 'http://prom'}}, other: {prometheus: {url: "
    "'http://o'}}}}";
std::string metric_of(const std::string& backend, const std::string& label = "") {
  return "{metrics: [{name: m, namespaces: [ml], prometheus: {backend: " + backend +
         (label.empty() ? ", query: up}}]}"
                        : ", query: 'up{a=\"$(q)\"}'}, labels: {q: " + label + "}}]}");
}

struct Site {
  void reload(const std::vector<std::string>& documents, const Texts& skipped = {}) {
    std::vector<Node> nodes;
    for (const std::string& text : documents) nodes.push_back(test::node(text));
    std::vector<Node> skipped_nodes;
    for (const std::string& text : skipped) skipped_nodes.push_back(test::node(text));
    Problems problems;
    const auto before = world ? world->backends() : std::vector<BackendState>{};
    world = World::build(nodes, loop, clients, clock, events, problems, before, skipped_nodes);
    REQUIRE(world != nullptr);
    clock.advance(2s);
  }
  void read(std::vector<LabelRequirement> selector = {}) {
    const Deadline deadline = Deadline::after(clock.steady(), 5s);
    (void)test::run(loop, world->source().read({"ml", "m", std::move(selector)}, deadline));
  }
  // "BACKEND LABELS" of each failing read that is shown.
  Texts failing() {
    Texts out;
    for (const BackendState& state : world->backends())
      state.failing->for_each_current(clock.steady(), [&](const auto& failure) {
        out.push_back(state.name + " " + failure.read.labels);
      });
    return out;
  }

  test::FakeClock clock;
  test::ReadEvents events;
  Loop loop;
  Clients clients{loop};
  std::unique_ptr<World> world;
};

TEST_CASE("a metric of a skipped file is reported once, and shown, whatever is reloaded") {
  Site site;
  site.reload({kBackends}, {metric_of("prom"), "{metrics: [{name: n}]}"});

  site.read();
  site.reload({kBackends}, {"{metrics: [{name: n}]}", metric_of("prom")});
  site.read();

  REQUIRE(site.events.failing.size() == 1);
  CHECK_THAT(site.events.failing.front(), Catch::StartsWith("failing  ml/m{}: misconfigured"));
  CHECK(site.failing() == Texts{" "});
}

TEST_CASE("a failing read is that of the backend that its metric has after a reload") {
  Site site;
  site.reload({kBackends}, {metric_of("prom")});
  site.read();

  site.reload({kBackends, metric_of("prom")});
  CHECK(site.failing() == Texts{"prom "});
  site.reload({kBackends, metric_of("other")});
  CHECK(site.failing() == Texts{"other "});
  site.reload({kBackends}, {metric_of("other")});
  CHECK(site.failing() == Texts{" "});
  // Nobody serves it: nobody can recover.
  site.reload({kBackends});
  CHECK(site.failing().empty());
}

TEST_CASE("the selector of a skipped metric becomes its labels, with their defaults") {
  const auto labels_of = [](std::vector<LabelRequirement> selector) {
    Site site;
    site.reload({kBackends}, {metric_of("prom")});
    site.read(std::move(selector));
    site.reload({kBackends, metric_of("prom", "{pattern: '.*', default: x}")});
    return site.failing();
  };

  CHECK(labels_of({}) == Texts{"prom q=x"});
  CHECK(labels_of({{"q", Operator::in, {"a"}}}) == Texts{"prom q=a"});
}

}  // namespace
}  // namespace weir::scalers
