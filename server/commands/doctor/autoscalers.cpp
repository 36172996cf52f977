// Checks HPAs one by one; a finding names the HPA. Apart from the queries, so that tests need no
// cluster.
#include "server/commands/doctor/autoscalers.hpp"

#include "apiservice/groups/external_values.hpp"
#include "scalers/text/suggest.hpp"
#include "scalers/text/utf8.hpp"
#include "server/commands/doctor/registration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weir::server::doctor {
namespace {

using scalers::MetricInfo;

// "*" is the configuration's way to serve a metric in all namespaces.
bool serves(const std::vector<std::string>& namespaces, const std::string& name_space) {
  return std::ranges::any_of(namespaces, [&](const std::string& entry) {
    return entry == "*" || entry == name_space;
  });
}

std::optional<Measure> measure_of(const std::string& metric,
                                  const std::string& name_space,
                                  const ServedMetrics& served) {
  // The first one is the only one: entries of one name serve different namespaces.
  const auto entry = std::ranges::find_if(served.measured, [&](const MeasuredMetric& candidate) {
    return scalers::equal_ignoring_case(candidate.name, metric) &&
           serves(candidate.namespaces, name_space);
  });
  if (entry == served.measured.end()) return std::nullopt;
  return entry->measure;
}

// An HPA of KEDA gets another action, because its name does not come from a user.
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

// The name may be in the configuration several times, with different namespaces.
Findings check_configured(const std::string& object,
                          const Autoscaler& autoscaler,
                          const ExternalUse& use,
                          const std::vector<MetricInfo>& configured) {
  const std::string& name_space = autoscaler.name.name_space;
  const MetricInfo* metric = nullptr;
  std::vector<std::string_view> names;
  std::string served_in;
  for (const MetricInfo& candidate : configured) {
    names.push_back(candidate.name);
    if (!scalers::equal_ignoring_case(candidate.name, use.metric)) continue;
    served_in +=
        fmt::format("{}{}", served_in.empty() ? "" : ", ", fmt::join(candidate.namespaces, ", "));
    if (serves(candidate.namespaces, name_space)) metric = &candidate;
  }
  if (served_in.empty()) {
    return {unknown_metric(object,
                           autoscaler,
                           fmt::format("the configuration has no metric {}", use.metric),
                           scalers::did_you_mean(use.metric, names),
                           "fix the name in the HPA, or add the metric to Weir's configuration")};
  }
  if (metric == nullptr) {
    return {error(object,
                  fmt::format("metric {} is not served in namespace {}, only in {}",
                              use.metric,
                              name_space,
                              served_in),
                  fmt::format("add {} to the metric's namespaces", name_space))};
  }
  // check_labels() reports those that no read gets.
  if (!use.bad_labels.empty()) return {};
  // The check that a read makes too, so that the doctor accepts nothing that Weir refuses.
  const auto refusal = scalers::selector_refusal(*metric, use.requirements);
  if (!refusal) return {};
  return {error(
      object,
      fmt::format("the selector is not valid for metric {}: {}", use.metric, refusal->message()),
      "fix metric.selector in the HPA, or the metric's labels in the configuration")};
}

// The HPA controller refuses such a selector before it asks for the metric, whatever Weir serves.
Findings check_labels(const std::string& object, const ExternalUse& use) {
  Findings out;
  for (const apiservice::BadLabel& label : use.bad_labels) {
    const std::string action =
        label.value
            ? fmt::format(
                  "add a metric of its own whose query has \"{}\" in place of $({}), and name "
                  "that metric in the HPA, without the label",
                  *label.value,
                  label.key)
            : std::string("write a label that the metric declares into metric.selector of the HPA");
    out.push_back(error(object,
                        fmt::format("metric {}: {}, so the HPA controller refuses the selector and "
                                    "does not ask for the metric",
                                    use.metric,
                                    text_of(label)),
                        action));
  }
  return out;
}

// The configuration is checked first because it also has namespaces and labels.
Findings check_name(const std::string& object,
                    const Autoscaler& autoscaler,
                    const ExternalUse& use,
                    const ServedMetrics& served) {
  if (served.configured) return check_configured(object, autoscaler, use, *served.configured);
  // Discovery has no namespaces: a listed metric may still be refused in this one.
  if (!served.listed || served.listed->contains(scalers::lower_case(use.metric))) return {};
  std::vector<std::string_view> names;
  for (const std::string& name : *served.listed) {
    // It is not a metric, so it is not suggested.
    if (name != apiservice::kExternalItems) names.push_back(name);
  }
  return {unknown_metric(object,
                         autoscaler,
                         fmt::format("discovery lists no metric {}", use.metric),
                         scalers::did_you_mean(use.metric, names),
                         "fix the name in the HPA, or add the metric to Weir's configuration")};
}

// Which target types suit a metric depends on whether its value falls when replicas are added.
Findings check_target(const std::string& object,
                      const ExternalUse& use,
                      std::optional<Measure> measure) {
  // The controller looks at the fields, averageValue first, and not at the type.
  if (use.target_type == "Value" && use.has_average_value) {
    return {warning(object,
                    fmt::format("metric {}: the target has type Value but sets averageValue, "
                                "which takes effect",
                                use.metric),
                    "write type: AverageValue, or value in place of averageValue")};
  }
  // ceil(value / target) does not depend on the current replicas: a p95 of 2 s with a target of 1 s
  // gives 2 replicas, also when 10 replicas are too few.
  if (use.has_average_value && measure == Measure::average) {
    return {warning(
        object,
        fmt::format("metric {} is an average or a quantile, and averageValue divides "
                    "it by the replicas",
                    use.metric),
        "write type: Value with value, so that the metric is compared with the target directly")};
  }
  if (use.has_value && measure == Measure::backlog) {
    return {
        warning(object,
                fmt::format("metric {} counts waiting work, but with value the HPA multiplies the "
                            "replicas by it at every sync, up to maxReplicas",
                            use.metric),
                "write type: AverageValue with averageValue, the work for one replica")};
  }
  if (use.has_value && measure == Measure::state) {
    return {
        warning(object,
                fmt::format("metric {} does not depend on the replicas, but with value the HPA "
                            "multiplies the replicas by it at every sync, up to maxReplicas",
                            use.metric),
                "write type: AverageValue with averageValue; with 1 the metric is the number of "
                "replicas")};
  }
  return {};
}

Findings check_conditions(const std::string& object, const Autoscaler& autoscaler) {
  // Only this condition says that metrics fail. An HPA without it has not been synchronized yet.
  const auto active = std::ranges::find(autoscaler.conditions, "ScalingActive", &Condition::type);
  // ScalingDisabled is set at 0 replicas, which is what the user asked for.
  const bool is_healthy = active == autoscaler.conditions.end() || active->status != "False" ||
                          active->reason == "ScalingDisabled";
  if (is_healthy) return {};
  return {
      error(object,
            fmt::format("it does not scale: {}: {}", active->reason, active->message),
            fmt::format("fix the cause that the message names; kubectl -n {} describe hpa {} shows "
                        "the current conditions",
                        autoscaler.name.name_space,
                        autoscaler.name.name))};
}

void append(Findings& out, Findings more) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Findings check_autoscalers(std::span<const Autoscaler> autoscalers, const ServedMetrics& served) {
  Findings out;
  std::size_t uses = 0;
  for (const Autoscaler& autoscaler : autoscalers) {
    const std::string object = "HPA " + autoscaler.name.text();
    for (const ExternalUse& use : autoscaler.uses) {
      ++uses;
      append(out, check_name(object, autoscaler, use, served));
      append(out, check_labels(object, use));
      const auto measure = measure_of(use.metric, autoscaler.name.name_space, served);
      append(out, check_target(object, use, measure));
    }
    append(out, check_conditions(object, autoscaler));
  }
  // One line for all, because a cluster may have thousands of HPAs without a problem.
  if (out.empty()) {
    out.push_back(ok("HPAs",
                     fmt::format("{} {} {}; no problem found",
                                 counted(autoscalers.size(), "HPA"),
                                 autoscalers.size() == 1 ? "uses" : "use",
                                 counted(uses, "external metric"))));
  }
  return out;
}

Findings check_discovery(const std::set<std::string>& listed, const ServedMetrics& served) {
  const std::string object = fmt::format("APIService {}", api_service_name());
  std::set<std::string> others = listed;
  others.erase(std::string(apiservice::kExternalItems));
  if (!served.configured) return {ok(object, "it lists " + counted(others.size(), "metric"))};
  std::set<std::string> missing;
  for (const MetricInfo& metric : *served.configured) {
    const std::string name = scalers::lower_case(metric.name);
    if (!listed.contains(name)) missing.insert(metric.name);
    others.erase(name);
  }
  Findings out;
  // An error, because HPAs cannot read these metrics. A name that is listed and not configured
  // harms no HPA.
  if (!missing.empty()) {
    out.push_back(error(object,
                        fmt::format("it does not list {}, which the configuration defines",
                                    fmt::join(missing, ", ")),
                        "give the pods this configuration; their log and the gauge "
                        "weir_config_last_reload_successful show whether they rejected it"));
  }
  if (!others.empty()) {
    out.push_back(warning(object,
                          fmt::format("it lists {}, which the configuration does not define",
                                      fmt::join(others, ", ")),
                          "check that --config is the configuration of the pods"));
  }
  if (out.empty()) out.push_back(ok(object, "it lists every metric of the configuration"));
  return out;
}

}  // namespace weir::server::doctor
