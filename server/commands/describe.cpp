#include "scalers/catalog.hpp"
#include "scalers/nearest.hpp"
#include "server/commands/commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <span>
#include <string_view>

namespace weir::server {
namespace {

using scalers::ScalerKind;
using scalers::SettingDoc;

std::string presence_of(const SettingDoc& row) {
  if (row.is_required) return "required";
  return row.fallback.empty() ? std::string("optional") : fmt::format("default {}", row.fallback);
}

void print_table(std::string_view title, std::span<const SettingDoc> rows) {
  fmt::print("{}\n", title);
  for (const SettingDoc& row : rows) {
    fmt::print("  {:<14} {:<28} {:<16} {}\n", row.name, row.type, presence_of(row), row.doc);
  }
  fmt::print("\n");
}

void print_kind(const ScalerKind& kind) {
  fmt::print("{}: {}\n\n", kind.name, kind.summary);
  print_table(fmt::format("backends.NAME.{}", kind.name), kind.backend_settings());
  print_table(fmt::format("metrics[].{}", kind.name), kind.metric_settings());
}

}  // namespace

ExitCode run(const DescribeOptions& options) {
  if (!options.kind.empty()) {
    if (const ScalerKind* kind = scalers::find_kind(options.kind)) {
      print_kind(*kind);
      return ExitCode::ok;
    }
    std::vector<std::string_view> names;
    for (const ScalerKind& kind : scalers::catalog()) names.push_back(kind.name);
    fmt::print(stderr,
               "weir: there is no kind \"{}\"{} The kinds are: {}\n",
               options.kind,
               scalers::did_you_mean(options.kind, names),
               fmt::join(names, ", "));
    return ExitCode::usage;
  }
  print_table("backends.NAME (whatever the kind)", scalers::common_backend_settings());
  print_table("metrics[] (whatever the kind)", scalers::common_metric_settings());
  for (const ScalerKind& kind : scalers::catalog()) print_kind(kind);
  return ExitCode::ok;
}

}  // namespace weir::server
