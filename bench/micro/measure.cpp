#include "bench/micro/measure.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

namespace weir::bench {
namespace {

double seconds(const timeval& span) {
  return static_cast<double>(span.tv_sec) + static_cast<double>(span.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void measure(const std::vector<Contender>& contenders, int rounds) {
  std::vector<std::vector<double>> cpu(contenders.size());
  std::vector<std::vector<double>> wall(contenders.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const auto began = std::chrono::steady_clock::now();
      const double spent = cpu_seconds();
      contenders[i].run(contenders[i].operations);
      const auto operations = static_cast<double>(contenders[i].operations);
      cpu[i].push_back((cpu_seconds() - spent) * 1e6 / operations);
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - began;
      wall[i].push_back(took.count() / operations);
    }
  }
  const double first = median(cpu.front());
  fmt::print("{:<44}{:>10}{:>12}{:>12}\n", "", "CPU us", "CPU ratio", "elapsed us");
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const double spent = median(cpu[i]);
    fmt::print("{:<44}{:>10.2f}{:>12.2f}{:>12.1f}\n",
               contenders[i].name,
               spent,
               spent / first,
               median(wall[i]));
  }
}

}  // namespace weir::bench
