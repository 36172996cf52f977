// The process as the kernel sees it, for the process_* series. Reads /proc; what cannot be read is
// 0.
#pragma once

namespace weir::server {

struct ProcessFacts {
  double cpu_seconds = 0;  // user and system
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double threads = 0;
  double open_fds = 0;
  double max_fds = 0;
  double started_at = 0;  // seconds since 1970
};

[[nodiscard]] ProcessFacts process_facts();

}  // namespace weir::server
