// The memory limit of the process's cgroup, and how many connections fit into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace weir::server {

// The smallest memory limit, in bytes, of the process's cgroup and the cgroups above it: memory.max
// of version 2, memory.limit_in_bytes of version 1, both where both are mounted. nullopt: no limit,
// or none that can be read. `root` is the folder with proc/self, "/" outside of tests; the mount
// points of cgroups are below it, too.
[[nodiscard]] std::optional<std::uint64_t> memory_limit(const std::string& root);

// Without a memory limit, and at most. A kube-apiserver keeps 25 connections open, and more only
// while it has more requests in flight.
inline constexpr std::size_t kMaxConnections = 2048;

// How many connections may be open with this memory limit.
[[nodiscard]] std::size_t max_connections(std::optional<std::uint64_t> memory_limit);

}  // namespace weir::server
