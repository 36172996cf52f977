// /healthz, /livez and /readyz as the API servers of Kubernetes implement them. Holds only the
// state that the App sets; does no I/O.
#pragma once

#include "apiservice/request/http.hpp"

#include <map>
#include <string>
#include <string_view>

namespace weir::server {

class Health {
 public:
  // From now on /readyz fails (check "shutdown"), so that no new traffic is routed here. /livez
  // still succeeds.
  void begin_shutdown() { is_shutting_down_ = true; }

  // Sets the outcome of a named check of /readyz. The first call adds the check.
  void report(const std::string& check, bool is_healthy) { reported_[check] = is_healthy; }

  // The three exact paths, which anonymous callers may get.
  [[nodiscard]] static bool is_open(std::string_view path);
  // The three paths and every path below them.
  [[nodiscard]] static bool owns(std::string_view path);
  // The response for a path that owns() accepts. `?verbose` lists the checks, `?exclude=NAME` skips
  // one.
  [[nodiscard]] apiservice::Response respond(const apiservice::Request& request) const;

 private:
  bool is_shutting_down_ = false;
  std::map<std::string, bool> reported_;
};

}  // namespace weir::server
