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
                       scalers::ReadObserver& observer,
                       std::optional<ConfigErrors> errors,
                       const OnDocuments& on_documents) {
  ConfigFiles files = read_config(config);
  ParsedConfig parsed = parse_files(files);
  const auto policy = policy_for(errors, files.files.size() + files.problems.size());
  const auto build = [&](const std::vector<scalers::Node>& documents,
                         const std::vector<scalers::Node>& skipped,
                         scalers::Problems& problems) {
    auto world =
        scalers::World::build(documents, loop, clients, clock, observer, problems, {}, skipped);
    // Not kept for the caller: the nodes of many metrics are large.
    if (world && on_documents) on_documents(documents);
    return world;
  };
  Assembly assembly = assemble(std::move(parsed), policy, {}, build);
  if (!assembly.world) {
    // All of them, so that one run is enough to fix the file.
    print_problems(assembly.problems.all_lines());
    return {};
  }
  LoadedWorld out;
  out.fingerprint = fingerprint_of(files);
  out.world = std::move(assembly.world);
  out.valid_texts = valid_texts(std::move(files.files), assembly.uses, {});
  out.uses = std::move(assembly.uses);
  out.problems = assembly.problems.lines();
  out.file_problems = assembly.problems.lines_in_files();
  return out;
}

void print_problems(const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  for (const std::string& line : lines) fmt::print(stderr, "{}\n", line);
  fmt::print(stderr,
             "weir: {} problem{} in the configuration\n",
             lines.size(),
             lines.size() == 1 ? "" : "s");
}

void print_problems(const LoadedWorld& loaded) {
  std::vector<std::string> lines = loaded.problems;
  lines.insert(lines.end(), loaded.file_problems.begin(), loaded.file_problems.end());
  print_problems(lines);
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
