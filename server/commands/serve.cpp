#include "server/app.hpp"
#include "server/commands/commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace weir::server {

ExitCode run(const ServeOptions& options) {
  const bool has_authority =
      !options.client_ca_file.empty() || !options.requestheader_client_ca_file.empty();
  if (options.is_standalone && !has_authority) {
    fmt::print(stderr,
               "weir: nobody could read a metric: give --client-ca-file, "
               "--requestheader-client-ca-file, or both, so "
               "that callers can prove who they are.\n");
    return ExitCode::failed;
  }
  Loop loop(1);
  const Clock clock;
  LogObserver observer;
  scalers::Clients clients(loop);
  auto loaded = load_world(options.config, loop, clients, clock, observer);
  if (!loaded.world) return ExitCode::failed;
  App app(loop, clients, clock, observer, std::move(loaded), options);
  app.run();
  return ExitCode::ok;
}

}  // namespace weir::server
