// `weir get`: one read from the backends themselves, as a table or as the response of the API.
#include "apiservice/encoding/quantity.hpp"
#include "apiservice/encoding/time.hpp"
#include "apiservice/groups/external_values.hpp"
#include "apiservice/meta/label_selector.hpp"
#include "server/commands/get/options.hpp"
#include "server/commands/world.hpp"
#include "server/yaml/from_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <utility>

namespace weir::server {
namespace {

using scalers::Reading;
using scalers::Result;

void print_table(const std::string& metric, const std::vector<Reading>& readings) {
  fmt::print("{:<32} {:<32} {:<22} {}\n", "METRIC", "LABELS", "TIMESTAMP", "VALUE");
  for (const Reading& reading : readings) {
    std::string labels;
    for (const auto& [name, value] : reading.labels)
      labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", name, value);
    fmt::print("{:<32} {:<32} {:<22} {}\n",
               metric,
               // A dash, so that every line has four columns.
               labels.empty() ? "-" : labels,
               apiservice::rfc3339(reading.taken_at),
               apiservice::decimal(reading.value));
  }
}

Result<std::vector<Reading>> read(const GetOptions& options,
                                  Loop& loop,
                                  const Clock& clock,
                                  scalers::World& world) {
  auto labels = apiservice::parse_selector(options.selector);
  // The same error as from the API (400), so that it is printed in the same way.
  if (!labels) return labels.error();
  return read_once(loop,
                   clock,
                   world.source(),
                   {options.target.name_space, options.target.metric, std::move(*labels)});
}

}  // namespace

ExitCode run(const GetOptions& options) {
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop, options.identity, scalers::clients::ProxyRules(options.proxies));
  const auto loaded = load_world(options.config, loop, clients, clock, observer);
  if (!loaded.world) return ExitCode::failed;
  // Of any backend or team, so that they are no reason to end.
  print_problems(loaded);
  const auto readings = read(options, loop, clock, *loaded.world);
  // Before the output, which a slow reader of a pipe may delay.
  clients.close();
  if (!readings) return print_failure(readings.error());
  if (options.output == Output::text) {
    print_table(options.target.metric, *readings);
    return ExitCode::ok;
  }
  std::string json;
  apiservice::append_value_list(json, options.target.metric, *readings);
  if (options.output == Output::yaml) json = yaml_text(nlohmann::ordered_json::parse(json));
  fmt::print("{}", json);
  return ExitCode::ok;
}

}  // namespace weir::server
