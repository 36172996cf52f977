#include "apiservice/encoding/quantity.hpp"
#include "server/commands/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::server {
namespace {

// Without a selector only a metric whose labels all have defaults can be asked.
bool is_askable(const scalers::MetricInfo& metric) {
  return std::ranges::all_of(metric.labels, &scalers::MetricInfo::Label::has_default);
}

std::string example_selector(const scalers::MetricInfo& metric) {
  std::string out;
  for (const auto& label : metric.labels)
    out += fmt::format("{}{}=VALUE", out.empty() ? "" : ",", label.name);
  return out;
}

// Asks each metric from the first namespace that may; true when every one answered.
bool ask_all(Loop& loop, const Clock& clock, scalers::World& world, const CheckOptions& options) {
  bool is_well = true;
  for (const scalers::MetricInfo& metric : world.metrics()) {
    const std::string& first = metric.namespaces.front();
    const std::string name_space = first == "*" ? "default" : first;
    if (!is_askable(metric)) {
      fmt::print(
          "not asked  {0}/{1}: it needs label values; try weir get --config {2} {0}/{1} -l {3}\n",
          name_space,
          metric.name,
          fmt::join(options.config, " --config "),
          example_selector(metric));
      continue;
    }
    const auto readings = read_once(loop, clock, world.source(), {name_space, metric.name, {}});
    is_well = is_well && readings.has_value();
    if (readings) {
      fmt::print("ok         {}/{} = {}\n",
                 name_space,
                 metric.name,
                 apiservice::quantity(readings->front().value));
    } else {
      fmt::print("{:<10} {}\n", name_of(readings.error().code), readings.error().message());
    }
  }
  return is_well;
}

}  // namespace

ExitCode run(const CheckOptions& options) {
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop);
  const auto loaded = load_world(options.config, loop, clients, clock, observer);
  if (!loaded.world) return ExitCode::failed;
  fmt::print("{} metrics: the configuration is valid\n", loaded.world->metrics().size());
  const bool is_well = !options.is_live || ask_all(loop, clock, *loaded.world, options);
  clients.close();
  return is_well ? ExitCode::ok : ExitCode::read_failed;
}

}  // namespace weir::server
