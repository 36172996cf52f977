// The flags of `weir describe`.
#include "server/commands/flags.hpp"

#include "server/commands/describe/options.hpp"

namespace weir::server {

CLI::App& add_command(CLI::App& program, DescribeOptions& out) {
  CLI::App& describe = add_subcommand(program,
                                      "describe",
                                      "Print the kinds of scalers and all settings",
                                      {"weir describe", "weir describe rabbitmq"});
  describe.add_option("KIND", out.kind, "Only this kind, such as prometheus");
  add_output(describe, out.output, {Output::markdown}, "markdown: print docs/configuration.md");
  return describe;
}

std::string complete(DescribeOptions& /*options*/, const Environment& /*environment*/) {
  return "";
}

}  // namespace weir::server
