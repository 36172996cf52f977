// `weir version`.
#include "server/commands/commands.hpp"

#include <fmt/format.h>

namespace weir::server {

ExitCode run(const VersionOptions& /*options*/) {
  fmt::print("weir {}\n", WEIR_VERSION);
  return ExitCode::ok;
}

}  // namespace weir::server
