// Finds the cgroup by /proc/self/cgroup and its folder by /proc/self/mountinfo, as both are in a
// container with or without a namespace of cgroups of its own.
#include "server/connections/memory_limit.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

// Half of the memory is for connections. An idle one holds 27 KB, one with a request of the
// largest size and its response some 100 KB more, and the kernel counts its socket buffers.
constexpr std::uint64_t kBytesOfConnection = 64 * 1024;
constexpr std::size_t kMinConnections = 64;
// Version 1 has the largest multiple of the page size below 2^63 for "no limit".
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;

// A hierarchy of cgroups that has memory limits.
struct Hierarchy {
  std::string_view file_system;
  std::string_view file;
};
constexpr Hierarchy kVersion2{"cgroup2", "memory.max"};
constexpr Hierarchy kVersion1{"cgroup", "memory.limit_in_bytes"};

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

bool has_word(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, ',');) {
    if (one == word) return true;
  }
  return false;
}

// The path of the process within the hierarchy, as in "0::/a/b" and "4:cpu,memory:/a/b".
std::optional<std::string> path_of_process(const std::string& root, const Hierarchy& hierarchy) {
  for (const std::string& line : lines_of(root + "/proc/self/cgroup")) {
    const auto first = line.find(':');
    const auto second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_it = hierarchy.file_system == kVersion2.file_system
                           ? line.starts_with("0::")
                           : has_word(controllers, "memory");
    if (is_it) return line.substr(second + 1);
  }
  return std::nullopt;
}

struct Mount {
  std::string root;   // the path within the hierarchy that is mounted
  std::string point;  // where
};

// Of "32 31 0:29 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory".
std::optional<Mount> mount_of(const std::string& root, const Hierarchy& hierarchy) {
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    const auto dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string id, parent, device, file_system, source, options;
    Mount out;
    before >> id >> parent >> device >> out.root >> out.point;
    after >> file_system >> source >> options;
    if (file_system != hierarchy.file_system) continue;
    const bool is_it =
        hierarchy.file_system == kVersion2.file_system || has_word(options, "memory");
    if (is_it) return out;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> limit_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  std::uint64_t out = 0;
  // "max" is not a number.
  if (!(in >> text) || !(std::istringstream(text) >> out)) return std::nullopt;
  return out >= kNoLimit ? std::nullopt : std::optional(out);
}

std::optional<std::uint64_t> smaller(std::optional<std::uint64_t> a,
                                     std::optional<std::uint64_t> b) {
  if (a && b) return std::min(*a, *b);
  return a ? a : b;
}

std::optional<std::uint64_t> limit_of(const std::string& root, const Hierarchy& hierarchy) {
  const auto path = path_of_process(root, hierarchy);
  const auto mount = mount_of(root, hierarchy);
  if (!path || !mount) return std::nullopt;
  // Without a namespace of cgroups, a container sees its path from the machine's root, and only its
  // own folder is mounted.
  std::string below = *path;
  if (mount->root != "/" && below.starts_with(mount->root)) below.erase(0, mount->root.size());
  const std::filesystem::path top = root + mount->point;
  std::filesystem::path folder = top;
  std::optional<std::uint64_t> out = limit_in(top / hierarchy.file);
  std::istringstream names(below);
  for (std::string name; std::getline(names, name, '/');) {
    // A process outside of its namespace has a path that begins with "/..".
    if (name.empty() || name == "..") continue;
    folder /= name;
    out = smaller(out, limit_in(folder / hierarchy.file));
  }
  return out;
}

}  // namespace

std::optional<std::uint64_t> memory_limit(const std::string& root) {
  return smaller(limit_of(root, kVersion2), limit_of(root, kVersion1));
}

std::size_t max_connections(std::optional<std::uint64_t> memory_limit) {
  if (!memory_limit) return kMaxConnections;
  const std::uint64_t fitting = *memory_limit / 2 / kBytesOfConnection;
  return std::clamp<std::size_t>(fitting, kMinConnections, kMaxConnections);
}

}  // namespace weir::server
