// Builds a World from the texts of configuration files.
#pragma once

#include "scalers/read/world.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/reader_rig.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::test {

using Lines = std::vector<std::string>;

struct Built {
  std::unique_ptr<scalers::World> world;
  Lines problems;
  Lines problems_in_files;
};

struct Site {
  Built build(const std::vector<std::string>& documents,
              const std::vector<scalers::BackendState>& before = {}) {
    std::vector<scalers::Node> nodes;
    for (const std::string& text : documents) nodes.push_back(node(text));
    scalers::Problems problems;
    auto world = scalers::World::build(nodes, loop, clients, clock, events, problems, before);
    return {std::move(world), problems.lines(), problems.lines_in_files()};
  }

  FakeClock clock;
  ReadEvents events;
  Loop loop;
  scalers::Clients clients{loop};
};

}  // namespace weir::test
