// weir_bench_clients redis PORT, or rabbitmq PORT USERNAME-FILE PASSWORD-FILE:
// the clients' hot paths beside the bare libraries. bench/run.py starts the servers.
#include "bench/micro/clients.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr int kRounds = 7;
constexpr std::size_t kOneByOne = 10'000;
constexpr std::size_t kPipelined = 100'000;

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 2 && words[0] == "redis") {
      weir::bench::bench_llen(static_cast<std::uint16_t>(std::stoul(words[1])),
                              {kRounds, kOneByOne, kPipelined});
      return 0;
    }
    if (words.size() == 4 && words[0] == "rabbitmq") {
      weir::bench::bench_declare(static_cast<std::uint16_t>(std::stoul(words[1])),
                                 words[2],
                                 words[3],
                                 {kRounds, kOneByOne, kPipelined / 2});
      return 0;
    }
  } catch (const std::exception& failure) {
    fmt::print(stderr, "weir_bench_clients: {}\n", failure.what());
    return 1;
  }
  fmt::print(stderr,
             "usage: weir_bench_clients redis PORT | rabbitmq PORT USERNAME-FILE PASSWORD-FILE\n");
  return 2;
}
