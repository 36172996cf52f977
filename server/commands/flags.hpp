// Flags that several commands have, and their rules. CLI11 stays in server/commands.
#pragma once

#include "scalers/deadline.hpp"
#include "server/commands/command.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace weir::server {

// The headings of flags in a help.
inline constexpr const char* kFlags = "Flags";

// Adds a command; `examples` are the lines of its help that can be pasted.
[[nodiscard]] CLI::App& add_subcommand(CLI::App& program,
                                       const char* name,
                                       const char* summary,
                                       const std::vector<std::string>& examples);

// Adds --config, whose default is WEIR_CONFIG; `help` says what it is for.
CLI::Option& add_config(CLI::App& command,
                        std::vector<std::string>& config,
                        const char* help = "YAML file or folder of YAML files; may be repeated");
// The problem of a command that needs a configuration and has none; takes the default of
// `environment`.
[[nodiscard]] std::string complete_config(std::vector<std::string>& config,
                                          const Environment& environment);

// A duration as in the flags of Kubernetes: 10s, 1m30s; 0 turns the feature off.
CLI::Option& add_duration(CLI::App& command, const char* name, Duration& value, const char* help);

// A list as in the flags of Kubernetes: a,b or the flag again for each.
CLI::Option& add_list(CLI::App& command,
                      const char* name,
                      std::vector<std::string>& value,
                      const char* help);

// -o with these formats.
CLI::Option& add_output(CLI::App& command,
                        Output& output,
                        const std::vector<Output>& formats,
                        const char* help);

void add_target(CLI::App& command, Target& target, const char* help);
// Splits NAMESPACE/METRIC; the problem of a target without both halves.
[[nodiscard]] std::string complete_target(Target& target);

}  // namespace weir::server
