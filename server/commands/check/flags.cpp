// The flags of `weir check`.
#include "server/commands/flags.hpp"

#include "server/commands/check/options.hpp"

namespace weir::server {

CLI::App& add_command(CLI::App& program, CheckOptions& out) {
  CLI::App& check =
      add_subcommand(program,
                     "check",
                     "Check configuration files and report every problem with its position",
                     {"weir check weir.yaml", "weir check --live weir.yaml"});
  check.add_option("FILE",
                   out.config,
                   "YAML files or folders of them. Default: the environment variable WEIR_CONFIG");
  check.add_flag("--live", out.is_live, "Also read every metric once");
  return check;
}

std::string complete(CheckOptions& options, const Environment& environment) {
  if (options.config.empty()) options.config = environment.config;
  return options.config.empty() ? "FILE is required: give a YAML file or a folder of YAML files, "
                                  "or set the environment variable WEIR_CONFIG"
                                : "";
}

}  // namespace weir::server
