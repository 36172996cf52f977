// Helpers of the commands that build a World from a configuration or read a metric once.
#include "server/commands/world.hpp"

#include "apiservice/meta/status.hpp"
#include "server/config/files.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace weir::server {

LoadedWorld load_world(const std::vector<std::string>& config,
                       Loop& loop,
                       scalers::Clients& clients,
                       const Clock& clock,
                       scalers::ReadObserver& observer) {
  scalers::Problems problems;
  const ConfigFiles files = read_config(config);
  const auto documents = parse_config(files, problems);
  auto world = build_world(documents, std::move(problems), loop, clients, clock, observer);
  return {fingerprint_of(files), std::move(world)};
}

std::unique_ptr<scalers::World> build_world(const std::vector<scalers::Node>& documents,
                                            scalers::Problems problems,
                                            Loop& loop,
                                            scalers::Clients& clients,
                                            const Clock& clock,
                                            scalers::ReadObserver& observer) {
  auto world = scalers::World::build(documents, loop, clients, clock, observer, problems);
  if (world) return world;
  print_problems(problems);
  return nullptr;
}

void print_problems(const scalers::Problems& problems) {
  // All of them, so that one run is enough to fix the file.
  for (const std::string& line : problems.lines()) fmt::print(stderr, "{}\n", line);
  fmt::print(stderr,
             "weir: {} problem{} in the configuration\n",
             problems.size(),
             problems.size() == 1 ? "" : "s");
}

ExitCode print_failure(const scalers::Error& error) {
  // The reason and the message that the API would return for this error.
  const auto status = apiservice::status_of(error);
  fmt::print(stderr, "Error from server ({}): {}\n", status.reason, status.message);
  return ExitCode::read_failed;
}

scalers::Result<std::vector<scalers::Reading>> read_once(Loop& loop,
                                                         const Clock& clock,
                                                         scalers::Source& source,
                                                         scalers::Query query) {
  constexpr Duration kLongest{30'000};  // the maximum of a metric's deadline
  return run_to_end(loop, source.read(std::move(query), Deadline::after(clock.steady(), kLongest)));
}

}  // namespace weir::server
