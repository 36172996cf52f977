// `weir serve`: builds the parts that outlive the App, and runs it.
#include "server/app.hpp"
#include "server/commands/serve/options.hpp"
#include "server/commands/world.hpp"
#include "server/logging/log.hpp"
#include "server/telemetry/telemetry.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace weir::server {
namespace {

void log_proxies(const scalers::clients::ProxyRules& proxies) {
  if (const std::string text = proxies.text(); !text.empty())
    log(Level::info, "proxies", {{"environment", text}});
  for (const std::string& problem : proxies.problems())
    log(Level::warn, "proxy_variable_not_used", {{"reason", problem}});
}

}  // namespace

ExitCode run(const ServeOptions& options) {
  const bool has_authority =
      !options.client_ca_file.empty() || !options.requestheader_client_ca_file.empty();
  if (options.is_standalone && !has_authority) {
    fmt::print(stderr,
               "weir: --standalone cannot authenticate callers without a CA: set --client-ca-file, "
               "--requestheader-client-ca-file, or both.\n");
    return ExitCode::failed;
  }
  set_log(options.logs_json ? LogFormat::json : LogFormat::text, options.verbosity);
  // Before the loop, whose sessions report to it until they are destroyed.
  Telemetry telemetry({.max_parameter_sets = options.max_parameter_sets});
  // Only this thread uses sockets; other threads only post to the loop.
  Loop loop(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  const Clock clock;
  scalers::Clients clients(loop, options.identity, scalers::clients::ProxyRules(options.proxies));
  log_proxies(clients.proxies());
  auto loaded = load_world(options.config, loop, clients, clock, telemetry, options.config_errors);
  if (!loaded.world) return ExitCode::failed;
  App app(loop, clients, clock, telemetry, std::move(loaded), options);
  app.run();
  return ExitCode::ok;
}

}  // namespace weir::server
