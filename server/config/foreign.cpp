// A person who comes from KEDA or prometheus-adapter tries their file first: "unknown key
// apiVersion" would be no help.
#include "server/config/foreign.hpp"

#include "scalers/catalog.hpp"
#include "scalers/text/other_kinds.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

using scalers::Node;
using scalers::Problems;

std::string text_of(const Node& map, std::string_view key) {
  const Node* value = map.find(key);
  return value == nullptr ? std::string() : value->text;
}

struct Known {
  std::string_view group;  // of apiVersion
  std::string_view kind;
  std::string_view text;
};

constexpr std::array kKnown{
    Known{
        "keda.sh",
        "ScaledJob",
        "a KEDA ScaledJob, which starts a Job for each message: Weir scales nothing by Jobs; keep "
        "KEDA for it, or scale a Deployment of workers with an HPA"},
    Known{"keda.sh",
          "TriggerAuthentication",
          "a KEDA TriggerAuthentication: mount its Secret as files, and write username: {file: "
          "PATH} and password: {file: PATH} (or token, tls) in the backend"},
    Known{"keda.sh",
          "ClusterTriggerAuthentication",
          "a KEDA ClusterTriggerAuthentication: mount its Secret as files, and write username: "
          "{file: PATH} and password: {file: PATH} (or token, tls) in the backend"},
    Known{"autoscaling",
          "HorizontalPodAutoscaler",
          "an HPA, which belongs into the cluster (kubectl apply); weir doctor checks it there"},
    Known{
        "",
        "ConfigMap",
        "a ConfigMap: give its files, which are the values of data; kubectl get configmap NAME -o "
        "jsonpath='{.data.weir\\.yaml}' prints one"},
    Known{"monitoring.coreos.com",
          "PrometheusRule",
          "a PrometheusRule: Prometheus evaluates it; write the name of its recorded series as the "
          "query of a prometheus metric"},
};

// "keda.sh" of "keda.sh/v1alpha1"; empty for "v1".
std::string group_of(const std::string& api_version) {
  const auto slash = api_version.find('/');
  return slash == api_version.npos ? std::string() : api_version.substr(0, slash);
}

std::string trigger_text(const std::string& type) {
  if (const scalers::ScalerKind* kind = scalers::find_kind(type)) {
    const char* where = kind->has_backends() ? "backends: and metrics:" : "metrics:";
    return fmt::format("write {}: under {}", type, where);
  }
  std::string known = scalers::other_kind_text(type);
  if (!known.empty()) return known;
  return "there is no such kind; if Prometheus can have its numbers, write prometheus: with a "
         "query "
         "for them";
}

// Each trigger at its own place, with what serves it.
void add_triggers(const Node& object, Problems& problems) {
  const Node* spec = object.find("spec");
  const Node* triggers = spec == nullptr ? nullptr : spec->find("triggers");
  if (triggers == nullptr) return;
  for (const Node& trigger : triggers->items) {
    const Node* type = trigger.find("type");
    if (type == nullptr) continue;
    problems.add(type->mark, fmt::format("trigger {}: {}", type->text, trigger_text(type->text)));
  }
}

void add_object(const Node& object, Problems& problems) {
  const std::string group = group_of(text_of(object, "apiVersion"));
  const std::string kind = text_of(object, "kind");
  if (group == "keda.sh" && kind == "ScaledObject") {
    problems.add(
        object.mark,
        "this is a KEDA ScaledObject: write the server of each trigger under backends:, its "
        "query under metrics:, and replicas and targets in an HPA of your own; delete the "
        "ScaledObject before you apply that HPA, or two HPAs scale the workload");
    return add_triggers(object, problems);
  }
  for (const Known& known : kKnown) {
    if (known.group == group && known.kind == kind)
      return problems.add(object.mark, fmt::format("this is {}", known.text));
  }
  problems.add(object.mark,
               fmt::format("this is a Kubernetes object ({} {}), not a configuration, which has "
                           "backends: and metrics:; keep it in another folder",
                           text_of(object, "apiVersion"),
                           kind));
}

bool has_list(const Node& document, std::string_view key) {
  const Node* value = document.find(key);
  return value != nullptr && value->kind == Node::Kind::list;
}

// `rules` of the chart's values is a map of lists.
bool has_chart_rules(const Node& document) {
  const Node* rules = document.find("rules");
  return rules != nullptr && rules->kind == Node::Kind::map &&
         (rules->find("external") != nullptr || rules->find("custom") != nullptr ||
          rules->find("default") != nullptr || rules->find("resource") != nullptr);
}

constexpr const char* kAdapterHelp =
    "write each external rule as a metric, with its metricsQuery as {prometheus: {backend, "
    "query}}, <<.Series>> and <<.LabelMatchers>> written out, and a label that the HPA chooses as "
    "$(label); Weir does not serve custom.metrics.k8s.io and metrics.k8s.io: keep "
    "prometheus-adapter "
    "for those, or write such a rule as an external metric";

}  // namespace

bool is_foreign(const Node& document, Problems& problems) {
  if (document.kind != Node::Kind::map) return false;
  // A configuration with such a key besides is one with an unknown key.
  if (document.find("backends") != nullptr || document.find("metrics") != nullptr) return false;
  if (document.find("apiVersion") != nullptr && document.find("kind") != nullptr) {
    add_object(document, problems);
    return true;
  }
  if (has_list(document, "rules") || has_list(document, "externalRules") ||
      document.find("resourceRules") != nullptr) {
    problems.add(document.mark,
                 fmt::format("this is a configuration of prometheus-adapter: {}", kAdapterHelp));
    return true;
  }
  if (has_chart_rules(document)) {
    problems.add(document.mark,
                 fmt::format("these are values of prometheus-adapter's chart: {}", kAdapterHelp));
    return true;
  }
  return false;
}

}  // namespace weir::server
