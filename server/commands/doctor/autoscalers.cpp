#include "server/commands/doctor/autoscalers.hpp"

#include "scalers/text/suggest.hpp"
#include "server/commands/doctor/registration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weir::server::doctor {
namespace {

using scalers::MetricInfo;

// Listed beside the metrics, so that discovery is never empty.
constexpr const char* kStandingResource = "externalmetrics";

bool serves(const std::vector<std::string>& namespaces, const std::string& name_space) {
  return std::ranges::any_of(namespaces, [&](const std::string& one) {
    return one == "*" || one == name_space;
  });
}

std::optional<Measure> measure_of(const std::string& metric,
                                  const std::string& name_space,
                                  const ServedMetrics& served) {
  const auto found = std::ranges::find_if(served.measured, [&](const MeasuredMetric& one) {
    return one.name == metric && serves(one.namespaces, name_space);
  });
  if (found == served.measured.end()) return std::nullopt;
  return found->measure;
}

Finding unknown_metric(const std::string& object,
                       const Autoscaler& autoscaler,
                       const std::string& what,
                       const std::string& near,
                       const std::string& otherwise) {
  if (!autoscaler.scaled_object.empty()) {
    return error(
        object,
        fmt::format("{}; it belongs to KEDA's ScaledObject {}", what, autoscaler.scaled_object),
        "write an HPA of your own with a metric of Weir, then delete the ScaledObject");
  }
  return error(object, what + near, otherwise);
}

Findings judge_configured(const std::string& object,
                          const Autoscaler& autoscaler,
                          const ExternalUse& use,
                          const std::vector<MetricInfo>& configured) {
  const std::string& name_space = autoscaler.name.name_space;
  const MetricInfo* metric = nullptr;
  std::vector<std::string_view> names;
  std::string served_in;
  for (const MetricInfo& one : configured) {
    names.push_back(one.name);
    if (one.name != use.metric) continue;
    served_in +=
        fmt::format("{}{}", served_in.empty() ? "" : ", ", fmt::join(one.namespaces, ", "));
    if (serves(one.namespaces, name_space)) metric = &one;
  }
  if (served_in.empty()) {
    return {unknown_metric(object,
                           autoscaler,
                           fmt::format("no configuration serves metric {}", use.metric),
                           scalers::did_you_mean(use.metric, names),
                           "mend the name in the HPA, or add the metric to Weir's configuration")};
  }
  if (metric == nullptr) {
    return {error(object,
                  fmt::format("metric {} is not for namespace {}: it is for {}",
                              use.metric,
                              name_space,
                              served_in),
                  fmt::format("add {} to the metric's namespaces", name_space))};
  }
  const auto refusal = scalers::selector_refusal(*metric, use.requirements);
  if (!refusal) return {};
  return {error(object,
                fmt::format("metric {} refuses the selector: {}", use.metric, refusal->message()),
                "mend metric.selector in the HPA, or the metric's labels in the configuration")};
}

Findings judge_name(const std::string& object,
                    const Autoscaler& autoscaler,
                    const ExternalUse& use,
                    const ServedMetrics& served) {
  if (served.configured) return judge_configured(object, autoscaler, use, *served.configured);
  if (!served.listed || served.listed->contains(use.metric)) return {};
  std::vector<std::string_view> names;
  for (const std::string& name : *served.listed) {
    if (name != kStandingResource) names.push_back(name);
  }
  return {unknown_metric(object,
                         autoscaler,
                         fmt::format("discovery lists no metric {}", use.metric),
                         scalers::did_you_mean(use.metric, names),
                         "mend the name in the HPA, or add the metric to Weir's configuration")};
}

Findings judge_target(const std::string& object,
                      const ExternalUse& use,
                      std::optional<Measure> measure) {
  if (use.target_type == "Value" && use.has_average_value) {
    return {warning(object,
                    fmt::format("metric {}: the target's type is Value, yet averageValue is set, "
                                "and that is what counts",
                                use.metric),
                    "write type: AverageValue, or value in place of averageValue")};
  }
  if (use.has_average_value && measure == Measure::average) {
    return {warning(object,
                    fmt::format("metric {} is an average or a quantile, and averageValue divides "
                                "it by the replicas",
                                use.metric),
                    "write type: Value with value, so that it is held against the target itself")};
  }
  if (use.has_value && measure == Measure::backlog) {
    return {warning(object,
                    fmt::format("metric {} counts waiting work, and value multiplies the replicas "
                                "by it: they grow with every look until maxReplicas",
                                use.metric),
                    "write type: AverageValue with averageValue, the work for one replica")};
  }
  return {};
}

Findings judge_conditions(const std::string& object, const Autoscaler& autoscaler) {
  const auto found = std::ranges::find(autoscaler.conditions, "ScalingActive", &Condition::type);
  const bool is_well = found == autoscaler.conditions.end() || found->status != "False" ||
                       found->reason == "ScalingDisabled";
  if (is_well) return {};
  return {error(object,
                fmt::format("it does not scale: {}: {}", found->reason, found->message),
                fmt::format("mend what the text names; kubectl -n {} describe hpa {} shows whether "
                            "it went",
                            autoscaler.name.name_space,
                            autoscaler.name.name))};
}

void append(Findings& out, Findings more) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Findings judge_autoscalers(std::span<const Autoscaler> autoscalers, const ServedMetrics& served) {
  Findings out;
  std::size_t uses = 0;
  for (const Autoscaler& autoscaler : autoscalers) {
    const std::string object = "HPA " + autoscaler.name.text();
    for (const ExternalUse& use : autoscaler.uses) {
      ++uses;
      append(out, judge_name(object, autoscaler, use, served));
      const auto measure = measure_of(use.metric, autoscaler.name.name_space, served);
      append(out, judge_target(object, use, measure));
    }
    append(out, judge_conditions(object, autoscaler));
  }
  if (out.empty()) {
    out.push_back(ok("HPAs",
                     fmt::format("{} of them read {} external metrics; nothing is wrong with those",
                                 autoscalers.size(),
                                 uses)));
  }
  return out;
}

Findings judge_discovery(const std::set<std::string>& listed, const ServedMetrics& served) {
  const std::string object = fmt::format("APIService {}", kApiServiceName);
  std::set<std::string> others = listed;
  others.erase(kStandingResource);
  if (!served.configured) return {ok(object, fmt::format("it lists {} metrics", others.size()))};
  std::set<std::string> missing;
  for (const MetricInfo& metric : *served.configured) {
    if (!listed.contains(metric.name)) missing.insert(metric.name);
    others.erase(metric.name);
  }
  Findings out;
  if (!missing.empty()) {
    out.push_back(error(
        object,
        fmt::format("it does not list {}, which the configuration has", fmt::join(missing, ", ")),
        "give the pods this configuration; their log and the gauge "
        "weir_config_last_reload_successful say whether they refused it"));
  }
  if (!others.empty()) {
    out.push_back(warning(
        object,
        fmt::format("it lists {}, which the configuration does not have", fmt::join(others, ", ")),
        "look whether --config is what the pods have"));
  }
  if (out.empty()) out.push_back(ok(object, "it lists every metric of the configuration"));
  return out;
}

}  // namespace weir::server::doctor
