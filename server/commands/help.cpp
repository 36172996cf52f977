// CLI11's own format prints the types of its parser ("UINT:INT in [1 - 65535]"), has no examples
// and keeps the flags of `weir serve` in one block.
#include "server/commands/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

namespace weir::server {
namespace {

constexpr std::size_t kWidth = 100;  // of a line
// Where descriptions start; a longer name has its description on the next line.
constexpr std::size_t kColumn = 36;
constexpr const char* kExitCodes =
    "Exit codes: 0 success; 1 the configuration has problems or the server cannot run; 2 invalid "
    "command line; 3 a metric could not be read (check --live, get, explain); 4 weir doctor found "
    "problems.";

void append_row(std::string& out, const std::string& name, const std::string& text) {
  const auto to = std::back_inserter(out);
  const std::string description = wrapped(text, kWidth - kColumn, kColumn);
  if (name.size() + 2 <= kColumn) {
    fmt::format_to(to, "{:<{}}{}\n", name, kColumn, description);
  } else {
    fmt::format_to(to, "{}\n{:<{}}{}\n", name, "", kColumn, description);
  }
}

// "  -o, --output FORMAT"; a flag without a short name is indented by its width.
std::string name_of(const CLI::Option& option) {
  std::string out;
  for (const std::string& name : option.get_snames())
    out += fmt::format("{}-{}", out.empty() ? "  " : ", ", name);
  for (const std::string& name : option.get_lnames())
    out += fmt::format("{}--{}", out.empty() ? "      " : ", ", name);
  // CLI11 adds what the validators say, which have no text here.
  const std::string type = option.get_type_name();
  return type.empty() ? out : fmt::format("{} {}", out, type);
}

std::string description_of(const CLI::Option& option) {
  std::string out = option.get_description();
  if (option.get_required()) out += " (required)";
  if (!option.get_default_str().empty())
    out += fmt::format(" (default {})", option.get_default_str());
  return out;
}

void append_flags(std::string& out, const CLI::App& app) {
  for (const std::string& group : app.get_groups()) {
    std::string rows;
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == group && option->nonpositional() && option != app.get_help_ptr())
        append_row(rows, name_of(*option), description_of(*option));
    }
    if (!rows.empty()) out += fmt::format("\n{}:\n{}", group, rows);
  }
}

// A command's own words first: "weir get [flags] METRIC".
std::string usage_of(const CLI::App& app) {
  if (app.get_parent() == nullptr) return "weir COMMAND [flags]";
  std::string out = fmt::format("weir {} [flags]", app.get_name());
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const bool is_list = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    out += fmt::format(" {}{}", option->get_name(true, false), is_list ? "..." : "");
  }
  return out;
}

void append_arguments(std::string& out, const CLI::App& app) {
  std::string rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional())
      append_row(rows, "  " + option->get_name(true, false), option->get_description());
  }
  if (!rows.empty()) out += fmt::format("\nArguments:\n{}", rows);
}

void append_examples(std::string& out, const CLI::App& app) {
  const std::string footer = app.get_footer();
  if (footer.empty()) return;
  out += "\nExamples:\n";
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) out += fmt::format("  {}\n", line);
}

void append_commands(std::string& out, const CLI::App& app) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty()) return;
  out += "\nCommands:\n";
  for (const CLI::App* command : commands)
    append_row(out, "  " + command->get_name(), command->get_description());
}

}  // namespace

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (used > 0 && used + 1 + word.size() > width) {
      out += '\n' + std::string(indent, ' ');
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
  }
  return out;
}

std::string HelpFormatter::make_help(const CLI::App* app,
                                     std::string /*name*/,
                                     CLI::AppFormatMode /*mode*/) const {
  std::string out = fmt::format("{}\n\nUsage:\n  {}\n",
                                wrapped(app->get_description(), kWidth, 0),
                                usage_of(*app));
  append_arguments(out, *app);
  append_examples(out, *app);
  append_commands(out, *app);
  append_flags(out, *app);
  out += "\nOther:\n";
  append_row(out, "  -h, --help", "Print this help");
  if (app->get_parent() == nullptr) {
    append_row(out, "      --version", "Print the version");
    out += "\nRun `weir help COMMAND` for the flags of a command.\n";
  }
  return out + fmt::format("\n{}\n", wrapped(kExitCodes, kWidth, 0));
}

}  // namespace weir::server
