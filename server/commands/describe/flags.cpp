// The flags of `weir describe`.
#include "server/commands/flags.hpp"

#include "server/commands/describe/options.hpp"

namespace weir::server {

CLI::App& add_command(CLI::App& program, DescribeOptions& out) {
  CLI::App& describe = add_subcommand(program,
                                      "describe",
                                      "Print the kinds of scalers and all settings",
                                      {"weir describe", "weir describe KIND --example"});
  describe.add_option("KIND", out.kind, "Only this kind");
  describe
      .add_flag("--example",
                out.is_example,
                "Print a configuration with a metric of KIND, for weir check and weir serve")
      ->group(kFlags);
  add_output(describe, out.output, {Output::markdown}, "markdown: print docs/configuration.md");
  return describe;
}

std::string complete(DescribeOptions& options, const Environment& /*environment*/) {
  // One file cannot be all examples, which may have equal names.
  const bool has_no_kind = options.is_example && options.kind.empty();
  return has_no_kind ? "--example needs a KIND; weir describe lists the kinds" : "";
}

}  // namespace weir::server
