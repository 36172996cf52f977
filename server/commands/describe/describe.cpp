#include "scalers/catalog.hpp"
#include "scalers/text/suggest.hpp"
#include "server/commands/commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

using scalers::ScalerKind;
using scalers::SettingDoc;

struct Section {
  std::string title;
  std::string summary;  // empty: none
  std::vector<SettingDoc> rows;
};

std::string presence_of(const SettingDoc& row) {
  if (row.is_required) return "required";
  return row.default_text.empty() ? "optional" : fmt::format("default {}", row.default_text);
}

std::vector<Section> sections_of(const ScalerKind& kind) {
  const std::string name(kind.name);
  return {
      {fmt::format("backends.NAME.{}", name), std::string(kind.summary), kind.backend_settings()},
      {fmt::format("metrics[].{}", name), "", kind.metric_settings()}};
}

std::vector<Section> all_sections() {
  std::vector<Section> out{{"backends.NAME",
                            "Beside the block of its kind, every backend has:",
                            scalers::common_backend_settings()},
                           {"metrics[]",
                            "Beside the block of its kind, every metric has:",
                            scalers::common_metric_settings()}};
  for (const ScalerKind& kind : scalers::catalog()) {
    for (Section& section : sections_of(kind)) out.push_back(std::move(section));
  }
  return out;
}

void print_text(const Section& section) {
  fmt::print("{}\n", section.title);
  if (!section.summary.empty()) fmt::print("  {}\n", section.summary);
  for (const SettingDoc& row : section.rows) {
    fmt::print("  {:<12} {:<26} {:<16} {}\n", row.name, row.type, presence_of(row), row.doc);
  }
  fmt::print("\n");
}

// A cell's text: a bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

void print_markdown(const Section& section) {
  fmt::print("\n## `{}`\n\n", section.title);
  if (!section.summary.empty()) fmt::print("{}\n\n", section.summary);
  fmt::print("| setting | type | presence | meaning |\n|---|---|---|---|\n");
  for (const SettingDoc& row : section.rows) {
    fmt::print("| `{}` | {} | {} | {} |\n",
               row.name,
               cell(row.type),
               presence_of(row),
               cell(row.doc));
  }
}

ExitCode unknown_kind(const std::string& kind) {
  std::vector<std::string_view> names;
  for (const ScalerKind& known : scalers::catalog()) names.push_back(known.name);
  fmt::print(stderr,
             "weir: there is no kind \"{}\"{}\nThe kinds are: {}\n",
             kind,
             scalers::did_you_mean(kind, names),
             fmt::join(names, ", "));
  return ExitCode::usage;
}

}  // namespace

ExitCode run(const DescribeOptions& options) {
  const ScalerKind* kind = scalers::find_kind(options.kind);
  if (kind == nullptr && !options.kind.empty()) return unknown_kind(options.kind);
  const auto sections = kind == nullptr ? all_sections() : sections_of(*kind);
  if (options.is_markdown) {
    fmt::print(
        "# Configuration\n\nMade by `weir describe -o markdown`; how the parts fit together is in "
        "the README.\n");
  }
  for (const Section& section : sections) {
    if (options.is_markdown) {
      print_markdown(section);
    } else {
      print_text(section);
    }
  }
  return ExitCode::ok;
}

}  // namespace weir::server
