// The numbers of /proc under the names that Prometheus' own clients use.
#include "server/telemetry/process_facts.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace weir::server {
namespace {

// The fields of /proc/self/stat from the third on; the second is a name that may hold anything.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = text.rfind(')');
  if (name_end == text.npos || name_end + 4 > text.size()) return {};
  std::istringstream rest(text.substr(name_end + 4));  // after the state's letter
  return {std::istream_iterator<double>(rest), {}};
}

// When the machine started, in seconds since 1970.
double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double value = 0;
  while (file >> word) {
    if (word == "btime" && file >> value) return value;
  }
  return 0;
}

double open_fds() {
  std::error_code failed;
  std::filesystem::directory_iterator entries("/proc/self/fd", failed);
  if (failed) return 0;
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;  // its own
}

}  // namespace

ProcessFacts process_facts() {
  // Places of proc(5), counted from field 4.
  constexpr std::size_t kUserTicks = 14 - 4;
  constexpr std::size_t kSystemTicks = 15 - 4;
  constexpr std::size_t kThreads = 20 - 4;
  constexpr std::size_t kStart = 22 - 4;
  constexpr std::size_t kVirtual = 23 - 4;
  constexpr std::size_t kResident = 24 - 4;
  // Read once: btime moves when the wall clock is set, and the start of the process would move too.
  static const double kBooted = boot_time();
  ProcessFacts out;
  const auto fields = stat_fields();
  if (fields.size() > kResident) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    out.cpu_seconds = (fields[kUserTicks] + fields[kSystemTicks]) / ticks;
    out.threads = fields[kThreads];
    out.started_at = kBooted + fields[kStart] / ticks;
    out.virtual_bytes = fields[kVirtual];
    out.resident_bytes = fields[kResident] * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
  out.open_fds = open_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_fds = static_cast<double>(limit.rlim_cur);
  return out;
}

}  // namespace weir::server
