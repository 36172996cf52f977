// `weir explain`: one explanation from the backends themselves, and what an HPA would make of it.
#include "apiservice/groups/explanation.hpp"
#include "apiservice/meta/label_selector.hpp"
#include "server/commands/explain/options.hpp"
#include "server/commands/explain/text.hpp"
#include "server/commands/world.hpp"
#include "server/kube/client/kubeconfig.hpp"
#include "server/kube/objects/hpa_read.hpp"
#include "server/yaml/from_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>
#include <utility>

namespace weir::server {
namespace {

using scalers::Explanation;
using scalers::Result;

// A diagnosis sends further queries after the first.
constexpr Duration kLongest{40'000};  // each query has the metric's own deadline
constexpr Duration kHpaBudget{10'000};

Result<Explanation> explanation_of(const ExplainOptions& options,
                                   Loop& loop,
                                   const Clock& clock,
                                   scalers::World& world,
                                   const std::string& selector) {
  auto labels = apiservice::parse_selector(selector);
  if (!labels) return labels.error();
  return run_to_end(loop,
                    world.explainer().explain(
                        {options.target.name_space, options.target.metric, std::move(*labels)},
                        Deadline::after(clock.steady(), kLongest)));
}

// nullopt: without --hpa.
std::optional<HpaView> hpa_of(const ExplainOptions& options,
                              Loop& loop,
                              const Clock& clock,
                              scalers::Clients& clients) {
  if (options.hpa.empty()) return std::nullopt;
  cluster::KubeClient client(clients, cluster::read_kubeconfig(options.kubeconfig));
  const auto json = run_to_end(loop,
                               cluster::read_hpa(&client,
                                                 options.target.name_space,
                                                 options.hpa,
                                                 Deadline::after(clock.steady(), kHpaBudget)));
  // The explanation does not need the HPA, so it is printed in any case. The exit code is that of a
  // failed read.
  if (!json) return HpaView{options.hpa, json.error()};
  return HpaView{options.hpa, apiservice::parse_hpa(*json, options.target.metric)};
}

std::string json_text(const Explanation& explanation,
                      const std::string& selector,
                      const std::optional<HpaView>& hpa) {
  std::string alone = apiservice::explanation_text(explanation, selector);
  if (!hpa) return alone;
  // The API's document has no HPA, so `hpa` is added here. The order of its fields stays.
  auto document = nlohmann::ordered_json::parse(alone);
  document["hpa"] = hpa_document(explanation, *hpa);
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace

ExitCode run(const ExplainOptions& options) {
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop, options.identity, scalers::clients::ProxyRules(options.proxies));
  const auto loaded = load_world(options.config, loop, clients, clock, observer);
  if (!loaded.world) return ExitCode::failed;
  // Of any backend or team, so that they are no reason to end.
  print_problems(loaded);
  // First, because its selector may be the one to explain.
  const auto hpa = hpa_of(options, loop, clock, clients);
  const bool uses_hpa_selector = options.selector.empty() && hpa && hpa->metric;
  if (uses_hpa_selector && !hpa->metric->bad_labels.empty()) {
    // Its text may read as another selector, which the HPA does not have.
    clients.close();
    return print_failure(
        {scalers::Errc::bad_request,
         fmt::format("HPA {}: {}", options.hpa, text_of(hpa->metric->bad_labels.front())),
         ""});
  }
  const std::string& selector = uses_hpa_selector ? hpa->metric->selector : options.selector;
  const auto explanation = explanation_of(options, loop, clock, *loaded.world, selector);
  clients.close();
  if (!explanation) return print_failure(explanation.error());
  if (options.output == Output::text) {
    fmt::print("{}", terminal_text(*explanation, hpa, options.is_verbose));
  } else {
    const std::string json = json_text(*explanation, selector, hpa);
    fmt::print(
        "{}",
        options.output == Output::json ? json : yaml_text(nlohmann::ordered_json::parse(json)));
  }
  const bool is_successful =
      total_of(*explanation).has_value() && (!hpa || hpa->metric.has_value());
  return is_successful ? ExitCode::ok : ExitCode::read_failed;
}

}  // namespace weir::server
