// The commands, and what is wrong with a command line. A mistyped command or flag is found before
// CLI11 parses, because its messages name flags in reverse and would come after those of missing
// ones.
#include "server/commands/command_line.hpp"

#include "scalers/text/suggest.hpp"
#include "server/commands/check/options.hpp"
#include "server/commands/describe/options.hpp"
#include "server/commands/doctor/options.hpp"
#include "server/commands/explain/options.hpp"
#include "server/commands/get/options.hpp"
#include "server/commands/help.hpp"
#include "server/commands/record/options.hpp"
#include "server/commands/serve/options.hpp"
#include "server/commands/version/options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <string_view>
#include <utility>

namespace weir::server {
namespace {

using Words = std::span<const char* const>;

// A command with its subcommand of CLI11, which refers to the options in it.
struct Entry {
  std::unique_ptr<Command> command;
  CLI::App* app;
};

template <class... Options>
std::vector<Entry> add_all(CLI::App& program) {
  std::vector<Entry> out;
  const auto add = [&](std::unique_ptr<Command> command) {
    CLI::App* const app = &command->add_to(program);
    out.push_back({std::move(command), app});
  };
  (add(std::make_unique<CommandOf<Options>>()), ...);
  return out;
}

// Every command, in the order of the help.
std::vector<Entry> add_commands(CLI::App& program) {
  return add_all<ServeOptions,
                 CheckOptions,
                 GetOptions,
                 ExplainOptions,
                 DescribeOptions,
                 DoctorOptions,
                 RecordOptions,
                 VersionOptions>(program);
}

// `command` is empty for the program itself.
ExitCode refuse(const std::string& problem, const std::string& command) {
  fmt::print(stderr,
             "weir: {}\nRun `weir {}--help` for usage.\n",
             problem,
             command.empty() ? "" : command + " ");
  return ExitCode::usage;
}

ExitCode refuse_command(const std::string& word, const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  return refuse(fmt::format("unknown command \"{}\"{}\nThe commands are: {}.",
                            word,
                            scalers::did_you_mean(word, views),
                            fmt::join(names, ", ")),
                "");
}

// The flag that a word gives, without its value: --port of --port=1, -v of -v3.
std::string flag_in(std::string_view word) {
  if (word.starts_with("--")) return std::string(word.substr(0, word.find('=')));
  return std::string(word.substr(0, 2));
}

bool is_flag(std::string_view word) {
  // "-" alone is a usual name of the standard input, and never a flag.
  return word.size() > 1 && word.front() == '-';
}

// Whether the flag has its value in the next word.
bool takes_next_word(const CLI::Option& option, std::string_view word, const std::string& flag) {
  return option.get_items_expected_min() > 0 && word == flag;
}

std::vector<std::string> unknown_flags(const CLI::App& command, Words words) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string_view word = words[at];
    // What follows are arguments, whatever they look like.
    if (word == "--") break;
    if (!is_flag(word)) continue;
    const std::string flag = flag_in(word);
    const CLI::Option* option = command.get_option_no_throw(flag);
    if (option == nullptr) {
      out.push_back(flag);
    } else if (takes_next_word(*option, word, flag)) {
      ++at;
    }
  }
  return out;
}

// The flags nearest to a mistyped one: by its letters, or else those that have it as a part, as
// --secure-port has port.
std::string suggestion_for(const std::string& flag, std::span<const std::string_view> names) {
  std::string by_letters = scalers::did_you_mean(flag, names);
  const auto first_letter = flag.find_first_not_of('-');
  if (!by_letters.empty() || first_letter == flag.npos) return by_letters;
  const std::string part = "-" + flag.substr(first_letter);
  std::vector<std::string> found;
  for (const std::string_view name : names) {
    if (name.ends_with(part) || name.find(part + "-") != name.npos)
      found.push_back(fmt::format("\"{}\"", name));
  }
  // More would be a list of flags, not a suggestion.
  if (found.empty() || found.size() > 3) return "";
  return fmt::format("; did you mean {}?", fmt::join(found, " or "));
}

// Empty when every flag is one of the command.
std::string problem_of_flags(const CLI::App& command, Words words) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  std::string out;
  for (const std::string& flag : unknown_flags(command, words)) {
    out += fmt::format("{}unknown flag {}{}",
                       out.empty() ? "" : "\n      ",
                       flag,
                       suggestion_for(flag, views));
  }
  return out;
}

// A message of CLI11 for one argument or flag; it names those that remain in reverse.
std::string problem_of(const CLI::ParseError& failure, const CLI::App& command) {
  if (dynamic_cast<const CLI::ExtrasError*>(&failure) == nullptr) return failure.what();
  const std::vector<std::string> extra = command.remaining();
  return fmt::format("unexpected argument{} {}",
                     extra.size() == 1 ? "" : "s",
                     fmt::join(extra, " "));
}

// `weir help` and `weir help COMMAND`.
ExitCode print_help(const CLI::App& program, Words words) {
  if (words.empty()) {
    fmt::print("{}", program.help());
    return ExitCode::ok;
  }
  const std::string_view name = words.front();
  const auto found = program.get_subcommands(
      [name](const CLI::App* command) { return command->get_name() == name; });
  if (found.empty()) return refuse_command(std::string(name), program);
  fmt::print("{}", found.front()->help());
  return ExitCode::ok;
}

bool asks_for_help(Words words) {
  return std::ranges::any_of(words, [](std::string_view word) {
    return word == "--help" || word == "-h";
  });
}

std::variant<std::unique_ptr<Command>, ExitCode> parse(CLI::App& program,
                                                       Entry entry,
                                                       Words words,
                                                       const Environment& environment) {
  const std::string name = entry.app->get_name();
  const std::string problem = problem_of_flags(*entry.app, words);
  if (!problem.empty()) return refuse(problem, name);
  if (asks_for_help(words)) {
    fmt::print("{}", entry.app->help());
    return ExitCode::ok;
  }
  // CLI11 takes the words from the end of the vector.
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  reversed.push_back(name);
  try {
    program.parse(std::move(reversed));
  } catch (const CLI::ParseError& failure) {
    return refuse(problem_of(failure, *entry.app), name);
  }
  const std::string left = entry.command->finish(environment);
  if (!left.empty()) return refuse(left, name);
  return std::move(entry.command);
}

}  // namespace

std::variant<std::unique_ptr<Command>, ExitCode>
parse_command_line(int argc, const char* const* argv, const Environment& environment) {
  CLI::App program(
      "Weir serves external metrics to Kubernetes HPAs, read live from their backends.",
      "weir");
  program.formatter(std::make_shared<HelpFormatter>());
  program.require_subcommand(1);
  auto entries = add_commands(program);
  program.add_subcommand("help", "Print the help of a command");
  const Words words(argv + std::min(argc, 1), argv + argc);
  if (words.empty()) return refuse("a command is required, such as weir serve", "");
  const std::string first = words.front();
  const Words rest = words.subspan(1);
  if (first == "help") return print_help(program, rest);
  if (first == "-h" || first == "--help") return print_help(program, {});
  // The same as the command, in the form that most programs have.
  const std::string name = first == "--version" ? "version" : first;
  const auto entry =
      std::ranges::find(entries, name, [](const Entry& one) { return one.app->get_name(); });
  if (entry != entries.end()) return parse(program, std::move(*entry), rest, environment);
  if (!is_flag(first)) return refuse_command(first, program);
  return refuse(fmt::format("unknown flag {}: the flags of a command follow its name", first), "");
}

}  // namespace weir::server
