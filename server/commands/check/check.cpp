// `weir check`: validates a configuration, and with --live reads each metric once, so that a
// pipeline finds an error before a cluster does.
#include "apiservice/encoding/quantity.hpp"
#include "server/commands/check/options.hpp"
#include "server/commands/check/remarks.hpp"
#include "server/commands/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::server {
namespace {

// Without a selector only a metric whose labels all have defaults can be read.
bool is_readable(const scalers::MetricInfo& metric) {
  return std::ranges::all_of(metric.labels, &scalers::MetricInfo::Label::has_default);
}

std::string example_selector(const scalers::MetricInfo& metric) {
  std::string out;
  for (const auto& label : metric.labels)
    out += fmt::format("{}{}=VALUE", out.empty() ? "" : ",", label.name);
  return out;
}

// Reads each metric from its first namespace; true when every read returned a value.
bool read_all(Loop& loop, const Clock& clock, scalers::World& world, const CheckOptions& options) {
  bool is_successful = true;
  for (const scalers::MetricInfo& metric : world.metrics()) {
    const std::string& first = metric.namespaces.front();
    // Any namespace will do for a metric of every namespace, and every cluster has this one.
    const std::string name_space = first == "*" ? "default" : first;
    if (!is_readable(metric)) {
      fmt::print(
          "skipped    {0}/{1}: it needs label values; try weir get --config {2} {0}/{1} -l {3}\n",
          name_space,
          metric.name,
          fmt::join(options.config, " --config "),
          example_selector(metric));
      continue;
    }
    const auto readings = read_once(loop, clock, world.source(), {name_space, metric.name, {}});
    is_successful = is_successful && readings.has_value();
    if (readings) {
      fmt::print("ok         {}/{} = {}\n",
                 name_space,
                 metric.name,
                 apiservice::quantity(readings->front().value));
    } else {
      fmt::print("{:<10} {}\n", name_of(readings.error().code), readings.error().message());
    }
  }
  return is_successful;
}

}  // namespace

ExitCode run(const CheckOptions& options) {
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop);
  const auto loaded = load_world(options.config, loop, clients, clock, observer);
  if (!loaded.world) return ExitCode::failed;
  const std::size_t count = loaded.world->metrics().size();
  fmt::print("{} metric{}: the configuration is valid\n", count, count == 1 ? "" : "s");
  for (const std::string& remark : remarks_on(loaded.world->metrics())) fmt::print("{}\n", remark);
  const bool is_successful = !options.is_live || read_all(loop, clock, *loaded.world, options);
  clients.close();
  return is_successful ? ExitCode::ok : ExitCode::read_failed;
}

}  // namespace weir::server
