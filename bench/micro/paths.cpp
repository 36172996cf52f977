// weir_bench_paths: the hot paths in turn, several rounds, and a line `NAME NANOSECONDS` of CPU an
// operation for each (the fastest round: what disturbs only adds).
// weir_bench_paths count [NAME]: for callgrind, which writes a dump for each path, or for the one;
// prints how many operations a dump holds. bench/micro/counts.py reads both.
#include "bench/micro/paths.hpp"

#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <exception>
#include <limits>
#include <string_view>
#include <vector>

namespace weir::bench {
namespace {

constexpr int kWarmUps = 50;
constexpr int kCounted = 200;
constexpr int kTimed = 2000;
constexpr int kRounds = 15;

struct Row {
  const char* name;
  std::unique_ptr<Path> (*make)();
};
constexpr std::array<Row, 9> kPaths{{{"head", make_head},
                                     {"identity", make_identity},
                                     {"access", make_access},
                                     {"selector", make_selector},
                                     {"quantity", make_quantity},
                                     {"json", make_json},
                                     {"protobuf", make_protobuf},
                                     {"cache_hit", make_cache_hit},
                                     {"request", make_request}}};

void repeat(Path& path, int times) {
  for (int i = 0; i < times; ++i) path.run();
}

// All, or the one called `name`.
void count(std::string_view name) {
  for (const Row& row : kPaths) {
    if (!name.empty() && name != row.name) continue;
    const auto path = row.make();
    repeat(*path, kWarmUps);
    CALLGRIND_START_INSTRUMENTATION;
    repeat(*path, kWarmUps);  // callgrind's own picture of the stack begins here
    CALLGRIND_ZERO_STATS;
    repeat(*path, kCounted);
    CALLGRIND_DUMP_STATS_AT(row.name);
    CALLGRIND_STOP_INSTRUMENTATION;
  }
  fmt::print("{}\n", kCounted);
}

double cpu_nanoseconds() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

void time() {
  for (const Row& row : kPaths) {
    const auto path = row.make();
    repeat(*path, kTimed);
    double best = std::numeric_limits<double>::infinity();
    for (int round = 0; round < kRounds; ++round) {
      const double began = cpu_nanoseconds();
      repeat(*path, kTimed);
      best = std::min(best, (cpu_nanoseconds() - began) / kTimed);
    }
    fmt::print("{} {:.0f}\n", row.name, best);
  }
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  try {
    if (words.empty()) {
      weir::bench::time();
      return 0;
    }
    if (words[0] == "count" && words.size() <= 2) {
      weir::bench::count(words.size() == 2 ? words[1] : "");
      return 0;
    }
  } catch (const std::exception& failure) {
    fmt::print(stderr, "weir_bench_paths: {}\n", failure.what());
    return 1;
  }
  fmt::print(stderr, "usage: weir_bench_paths [count [NAME]]\n");
  return 2;
}
