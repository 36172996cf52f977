// `weir version`: which build this is.
#include "server/build_info.hpp"
#include "server/commands/flags.hpp"
#include "server/commands/version/options.hpp"
#include "server/yaml/from_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::server {

CLI::App& add_command(CLI::App& program, VersionOptions& out) {
  CLI::App& version = add_subcommand(program,
                                     "version",
                                     "Print the version",
                                     {"weir version", "weir version -o json"});
  add_output(
      version,
      out.output,
      {Output::json, Output::yaml},
      "json or yaml: print the commit, its date, the type of the build and the compiler too");
  return version;
}

std::string complete(VersionOptions& /*options*/, const Environment& /*environment*/) { return ""; }

ExitCode run(const VersionOptions& options) {
  if (options.output == Output::text) {
    fmt::print("weir {}\n", WEIR_VERSION);
    return ExitCode::ok;
  }
  const BuildInfo build = build_info();
  const nlohmann::ordered_json out{{"version", WEIR_VERSION},
                                   {"gitCommit", build.commit},
                                   {"gitCommitDate", build.commit_date},
                                   {"buildType", build.type},
                                   {"compiler", build.compiler}};
  fmt::print("{}", options.output == Output::json ? out.dump(2) + "\n" : yaml_text(out));
  return ExitCode::ok;
}

}  // namespace weir::server
