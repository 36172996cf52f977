// /healthz, /livez and /readyz as Kubernetes' API servers answer them. Pure but for the state the
// App sets.
#pragma once

#include "apiservice/request/http.hpp"

#include <map>
#include <string>
#include <string_view>

namespace weir::server {

class Health {
 public:
  // From here on /readyz fails (check "shutdown"): no new traffic, please. /livez stays well.
  void begin_shutdown() { is_shutting_down_ = true; }

  // The outcome of a named check of /readyz, which is on its list from the first call on.
  void report(const std::string& check, bool is_well) { reported_[check] = is_well; }

  // The three exact paths, which anybody may ask.
  [[nodiscard]] static bool is_open(std::string_view path);
  // The three paths and what is below them.
  [[nodiscard]] static bool owns(std::string_view path);
  // The answer to a path that owns() is true for. `?verbose` lists the checks, `?exclude=NAME`
  // leaves one out.
  [[nodiscard]] apiservice::Response answer(const apiservice::Request& request) const;

 private:
  bool is_shutting_down_ = false;
  std::map<std::string, bool> reported_;
};

}  // namespace weir::server
