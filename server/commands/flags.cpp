// The shared flags: --config, -o, -n, durations and lists.
#include "server/commands/flags.hpp"

#include "scalers/text/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace weir::server {
namespace {

const char* name_of(Output format) {
  switch (format) {
    case Output::text: return "text";
    case Output::json: return "json";
    case Output::yaml: return "yaml";
    case Output::markdown: return "markdown";
  }
  return "";
}

}  // namespace

CLI::App& add_subcommand(CLI::App& program,
                         const char* name,
                         const char* summary,
                         const std::vector<std::string>& examples) {
  CLI::App& command = *program.add_subcommand(name, summary);
  command.footer(fmt::format("{}", fmt::join(examples, "\n")));
  // Options take their group when they are added.
  command.option_defaults()->group(kFlags);
  return command;
}

CLI::Option& add_config(CLI::App& command, std::vector<std::string>& config, const char* help) {
  // An option of CLI11 with several values takes all words that follow, also NAMESPACE/METRIC; with
  // allow_extra_args(false) it takes one for each --config.
  return *command.add_option("--config", config, help)
              ->allow_extra_args(false)
              ->type_name("PATH")
              ->default_str("WEIR_CONFIG");
}

std::string complete_config(std::vector<std::string>& config, const Environment& environment) {
  if (config.empty()) config = environment.config;
  return config.empty()
             ? "--config is required: give a YAML file or a folder of YAML files, or set "
               "the environment variable WEIR_CONFIG"
             : "";
}

CLI::Option& add_duration(CLI::App& command, const char* name, Duration& value, const char* help) {
  const auto read = [&value](const std::string& text) {
    // parse_duration() accepts only durations above zero.
    if (text == "0" || text == "0s") {
      value = Duration{0};
      return true;
    }
    const auto duration = scalers::parse_duration(text);
    if (duration) value = *duration;
    return duration.has_value();
  };
  // The default appears in the help, so it is taken from the options and not written twice.
  return *command
              .add_option_function<std::string>(
                  name,
                  [read, name](const std::string& text) {
                    if (!read(text))
                      throw CLI::ValidationError(name, "write a duration such as 10s, 1m30s or 0");
                  },
                  help)
              ->default_str(
                  fmt::format("{}s",
                              std::chrono::duration_cast<std::chrono::seconds>(value).count()))
              ->type_name("DURATION");
}

CLI::Option& add_list(CLI::App& command,
                      const char* name,
                      std::vector<std::string>& value,
                      const char* help) {
  CLI::Option& option = *command.add_option(name, value, help)
                             ->delimiter(',')
                             ->allow_extra_args(false)
                             ->type_name("LIST");
  // capture_default_str() writes a list as [a,b], which the flag itself would not accept.
  if (!value.empty()) option.default_str(fmt::format("{}", fmt::join(value, ",")));
  return option;
}

CLI::Option& add_output(CLI::App& command,
                        Output& output,
                        const std::vector<Output>& formats,
                        const char* help) {
  std::vector<std::string> names;
  for (const Output format : formats) names.emplace_back(name_of(format));
  const auto read = [&output, formats](const std::string& text) {
    const auto format = std::ranges::find(formats, text, name_of);
    if (format != formats.end()) output = *format;
  };
  // Checked by CLI11, so that a format that is not known fails before anything is queried.
  return *command.add_option_function<std::string>("-o,--output", read, help)
              ->check(CLI::IsMember(names).description(""))
              ->type_name("FORMAT");
}

void add_target(CLI::App& command, Target& target, const char* help) {
  command.add_option("METRIC", target.metric, help);
  command
      .add_option("-n,--namespace",
                  target.name_space,
                  "Namespace of METRIC, in place of NAMESPACE/METRIC")
      ->type_name("NAMESPACE");
}

std::string complete_target(Target& target) {
  if (target.metric.empty())
    return "METRIC is required: write NAMESPACE/METRIC, or -n NAMESPACE METRIC";
  // The first slash, because a namespace cannot contain one.
  const auto slash = target.metric.find('/');
  if (!target.name_space.empty()) {
    if (slash == target.metric.npos) return "";
    return fmt::format("\"{}\" has a namespace, and so has -n {}; write only one of them",
                       target.metric,
                       target.name_space);
  }
  if (slash == target.metric.npos || slash == 0 || slash + 1 == target.metric.size()) {
    return fmt::format(
        "\"{}\" is not NAMESPACE/METRIC, such as ml-inference/p95_latency; or add -n NAMESPACE",
        target.metric);
  }
  target.name_space = target.metric.substr(0, slash);
  target.metric = target.metric.substr(slash + 1);
  return "";
}

}  // namespace weir::server
