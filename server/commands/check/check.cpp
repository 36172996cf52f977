// `weir check`: validates a configuration, and with --live reads each metric once, so that a
// pipeline finds an error before a cluster does.
#include "apiservice/meta/label_selector.hpp"
#include "server/commands/check/live.hpp"
#include "server/commands/check/options.hpp"
#include "server/commands/check/remarks.hpp"
#include "server/commands/check/report.hpp"
#include "server/commands/world.hpp"
#include "server/config/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace weir::server {
namespace {

using scalers::LabelRequirement;

// The search for a cause sends further queries after the first.
constexpr Duration kLongest{40'000};

// The requirements of the selector that no metric has a label for: those that metrics which filter
// their samples get, whose labels are unknown until they are read.
std::vector<LabelRequirement> undeclared(const scalers::World& world,
                                         const std::vector<LabelRequirement>& selector) {
  std::vector<LabelRequirement> out;
  for (const LabelRequirement& requirement : selector) {
    const bool is_declared = std::ranges::any_of(world.metrics(), [&](const auto& metric) {
      return !requirements_for(metric, std::span(&requirement, 1)).empty();
    });
    if (!is_declared) out.push_back(requirement);
  }
  return out;
}

// Reads each metric from its first namespace.
std::vector<LiveRead> read_all(Loop& loop,
                               const Clock& clock,
                               scalers::World& world,
                               const std::vector<LabelRequirement>& selector,
                               const Addresses& addresses,
                               const CheckOptions& options) {
  std::vector<LiveRead> out;
  const auto filter = undeclared(world, selector);
  for (const scalers::MetricInfo& metric : world.metrics()) {
    auto requirements = metric.is_filtered ? filter : requirements_for(metric, selector);
    // Without a value for each label that has no default there is nothing to ask.
    const bool is_bound = std::ranges::all_of(metric.labels, [&](const auto& label) {
      return label.has_default ||
             std::ranges::find(requirements, label.name, &LabelRequirement::key) !=
                 requirements.end();
    });
    if (is_bound) {
      const auto explanation = run_to_end(
          loop,
          world.explainer().explain({namespace_of(metric), metric.name, std::move(requirements)},
                                    Deadline::after(clock.steady(), kLongest)));
      out.push_back(live_read(metric, explanation, addresses));
    } else {
      out.push_back(skipped(metric, addresses));
    }
    // At once, because a slow backend may take seconds.
    if (options.output == Output::text) {
      fmt::print("{}\n", text_of(out.back()));
      std::fflush(stdout);
    }
  }
  return out;
}

// Prints the problems; for programs to the output, because they are the result.
ExitCode report_problems(const scalers::Problems& problems, const CheckOptions& options) {
  if (options.output == Output::text) {
    print_problems(problems.all_lines());
  } else {
    fmt::print("{}", report_of(problems, options.output));
  }
  return ExitCode::failed;
}

ExitCode check_live(Loop& loop,
                    const Clock& clock,
                    scalers::World& world,
                    const Addresses& addresses,
                    CheckReport report,
                    const CheckOptions& options) {
  const auto selector = apiservice::parse_selector(options.selector);
  if (!selector) return print_failure(selector.error());
  const auto filter = undeclared(world, *selector);
  // It would be ignored, and the values be those of other objects than the person thinks.
  if (!filter.empty() && std::ranges::none_of(world.metrics(), &scalers::MetricInfo::is_filtered)) {
    fmt::print(stderr,
               "weir: -l sets {}, and no metric has a label of that name\n",
               filter.front().key);
    return ExitCode::usage;
  }
  report.reads = read_all(loop, clock, world, *selector, addresses, options);
  const bool is_failed = std::ranges::any_of(report.reads, &LiveRead::is_failed);
  if (options.output != Output::text) fmt::print("{}", report_of(report, options.output));
  return is_failed ? ExitCode::read_failed : ExitCode::ok;
}

}  // namespace

ExitCode run(const CheckOptions& options) {
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop, options.identity, scalers::clients::ProxyRules(options.proxies));
  scalers::Problems problems;
  const auto documents = parse_config(read_config(options.config), problems);
  const auto world = scalers::World::build(documents, loop, clients, clock, observer, problems);
  if (options.has_no_credentials) problems.drop_in_files();
  if (!world || problems.size() > 0) return report_problems(problems, options);
  CheckReport report{world->metrics().size(), remarks_on(world->metrics()), {}};
  for (std::string& remark : remarks_on_backends(world->backends()))
    report.remarks.push_back(std::move(remark));
  for (std::string& remark : remarks_on_proxies(world->backends(), clients.proxies()))
    report.remarks.push_back(std::move(remark));
  if (options.output == Output::text) fmt::print("{}", text_of(report));
  auto code = ExitCode::ok;
  if (options.is_live) {
    const Addresses addresses = addresses_of(world->backends());
    code = check_live(loop, clock, *world, addresses, std::move(report), options);
  } else if (options.output != Output::text) {
    fmt::print("{}", report_of(report, options.output));
  }
  clients.close();
  return code;
}

}  // namespace weir::server
