// What the micro benches share: contenders that run in turn, each round, and one table of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace weir::bench {

// One way to do the work. `run` does `operations` of them, or throws.
struct Contender {
  std::string name;
  std::size_t operations;
  std::function<void(std::size_t operations)> run;
};

// Runs every contender once a round and prints the median microseconds of CPU (of this process) and
// of time an operation, with the CPU's ratio to the first contender.
void measure(const std::vector<Contender>& contenders, int rounds);

}  // namespace weir::bench
