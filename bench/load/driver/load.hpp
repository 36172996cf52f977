// Puts reads on a server over TLS and times them. One thread, one epoll.
#pragma once

#include "bench/load/driver/tls.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weir::bench {

struct Load {
  Target target;
  std::vector<std::string> requests;  // whole heads, in turn
  std::size_t connections = 1;
  double seconds = 1;
  // Reads a second, evenly spread; a read's time counts from when it was due, also when no
  // connection was free. 0: each connection sends its next read at once.
  double rate = 0;
  bool is_reconnecting = false;  // a new connection for each read, whose handshake counts
};

struct Report {
  std::uint64_t answers = 0;
  double seconds = 0;
  std::map<int, std::uint64_t> statuses;
  std::vector<double> latencies;  // microseconds, sorted
};

// Throws std::runtime_error when a connection is lost or an answer is none.
[[nodiscard]] Report run(const Load& load);

}  // namespace weir::bench
