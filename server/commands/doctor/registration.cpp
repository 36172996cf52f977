// Checks the objects that connect the kube-apiserver with Weir, from the APIService to the pods.
#include "server/commands/doctor/registration.hpp"

#include "apiservice/groups/external_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

namespace weir::server::doctor {
namespace {

// A part of the name of a Service, or of the value of a label, by which an adapter is recognized.
struct Adapter {
  std::string_view part;
  std::string_view product;
};

constexpr std::array kAdapters{
    Adapter{"keda", "KEDA"},
    Adapter{"prometheus-adapter", "prometheus-adapter"},
    Adapter{"datadog", "the Datadog cluster agent"},
    Adapter{"stackdriver", "Google's custom metrics adapter"},
    Adapter{"cloudwatch", "the CloudWatch adapter"},
    Adapter{"azure-k8s-metrics-adapter", "the Azure adapter"},
    Adapter{"kube-metrics-adapter", "kube-metrics-adapter"},
    Adapter{"newrelic", "the New Relic adapter"},
};

// The labels of Helm charts and Kubernetes' recommendations that name the product.
constexpr std::array<const char*, 3> kNamingLabels{"app.kubernetes.io/name",
                                                   "app.kubernetes.io/part-of",
                                                   "app"};

std::string_view adapter_in(std::string_view text) {
  // Anywhere in the text, because Helm puts the name of the release before that of the chart.
  const auto* entry = std::ranges::find_if(kAdapters, [&](const Adapter& adapter) {
    return text.find(adapter.part) != text.npos;
  });
  return entry == kAdapters.end() ? std::string_view() : entry->product;
}

// The values of the labels with a name, of both objects.
std::vector<std::string> naming_labels(const ApiServiceObject& api_service,
                                       const std::optional<ServiceObject>& service) {
  std::vector<std::string> out;
  for (const char* key : kNamingLabels) {
    const auto own = api_service.labels.find(key);
    if (own != api_service.labels.end()) out.push_back(own->second);
    if (!service) continue;
    const auto of_service = service->labels.find(key);
    if (of_service != service->labels.end()) out.push_back(of_service->second);
  }
  return out;
}

std::string object() { return fmt::format("APIService {}", api_service_name()); }

std::string service_object(const ObjectName& name) { return "Service " + name.text(); }

struct Advice {
  std::string_view reason;
  std::string_view action;
};

// The reasons of the aggregator's availability controller. Its other reasons are about the
// kube-apiserver itself.
constexpr std::array kAdvice{
    Advice{"ServiceNotFound", "create the Service, or fix spec.service of the APIService"},
    Advice{"ServicePortError", "set spec.service.port to a port of the Service"},
    Advice{"EndpointsNotFound", "fix the Service's selector so that it selects Weir's pods"},
    Advice{"MissingEndpoints", "no pod of the Service is ready: check Weir's pods"},
    Advice{
        "FailedDiscoveryCheck",
        "the kube-apiserver cannot query Weir: check the certificate (below), NetworkPolicies, and "
        "the front proxy's CA (401 or 403)"},
};

std::string advice_of(std::string_view reason) {
  const auto* advice = std::ranges::find(kAdvice, reason, &Advice::reason);
  return std::string(advice == kAdvice.end() ? "fix the cause that the message names"
                                             : advice->action);
}

Finding check_available(const ApiServiceObject& api_service) {
  const auto available = std::ranges::find(api_service.conditions, "Available", &Condition::type);
  // A new APIService has no conditions until the controller has checked it once.
  if (available == api_service.conditions.end()) {
    return warning(object(),
                   "its availability is not known yet",
                   "run weir doctor again in a minute");
  }
  if (available->status == "True") return ok(object(), "it is available");
  return error(object(),
               fmt::format("it is not available: {}: {}", available->reason, available->message),
               advice_of(available->reason));
}

// Counts pods, not addresses, because a dual-stack pod has two addresses.
std::size_t count_of(std::span<const Endpoint> endpoints, bool is_ready_alone) {
  std::set<std::pair<bool, std::string>> out;
  for (const Endpoint& endpoint : endpoints) {
    const bool is_pod = !endpoint.pod.empty();
    if (endpoint.is_ready || !is_ready_alone)
      out.emplace(is_pod, is_pod ? endpoint.pod : endpoint.address);
  }
  return out.size();
}

// nullptr when the Service has no such port.
const ServiceObject::Port* port_of(const ServiceObject& service, std::int64_t port) {
  const auto match = std::ranges::find(service.ports, port, &ServiceObject::Port::port);
  return match == service.ports.end() ? nullptr : &*match;
}

}  // namespace

std::string api_service_name() {
  return fmt::format("{}.{}", apiservice::kExternalVersion, apiservice::kExternalGroup);
}

Owner owner_of(const ApiServiceObject& api_service,
               const std::optional<ServiceObject>& service,
               const std::optional<ObjectName>& named) {
  if (!api_service.service) return {Owner::Kind::foreign, "the kube-apiserver itself"};
  // What the user says counts more than any name.
  if (named && *named == *api_service.service) return {Owner::Kind::weir, ""};
  // The first match decides. The name of the Service comes first, because the labels of an
  // APIService stay when it is changed to another Service.
  auto texts = naming_labels(api_service, service);
  texts.insert(texts.begin(), api_service.service->name);
  // The namespace comes last, because several products may share one.
  texts.push_back(api_service.service->name_space);
  for (const std::string& text : texts) {
    const auto adapter = adapter_in(text);
    if (!adapter.empty()) return {Owner::Kind::foreign, std::string(adapter)};
    // With --service another Service is Weir's, even if this one's name says so too.
    if (!named && text.find("weir") != text.npos) return {Owner::Kind::weir, ""};
  }
  if (named) return {Owner::Kind::foreign, "another server"};
  return {Owner::Kind::unknown, ""};
}

Finding check_owner(const Owner& owner,
                    const ApiServiceObject& api_service,
                    std::size_t scaled_objects) {
  const std::string service = api_service.service ? api_service.service->text() : "none";
  switch (owner.kind) {
    case Owner::Kind::weir:
      return ok(object(), fmt::format("it belongs to Weir's Service {}", service));
    // A warning, because Weir may run under a name of the user's own.
    case Owner::Kind::unknown:
      return warning(
          object(),
          fmt::format("cannot tell whether its Service {} is Weir's", service),
          fmt::format("if it is, set --service {0}. If not: a cluster has one provider of "
                      "external metrics, and applying Weir's APIService breaks every HPA "
                      "that uses the other provider",
                      service));
    case Owner::Kind::foreign: break;
  }
  // An error even if the other adapter works, because no HPA can read a metric of Weir.
  const bool is_keda = owner.product == "KEDA";
  const std::string broken =
      is_keda ? fmt::format("every ScaledObject ({} of KEDA)", counted(scaled_objects, "HPA"))
              : std::string("every HPA that uses the other provider");
  return error(object(),
               fmt::format("it belongs to {} (Service {})", owner.product, service),
               fmt::format("a cluster has one provider of external metrics: applying Weir's "
                           "APIService breaks {}; replace those with your own HPAs first",
                           broken));
}

Findings check_api_service(const ApiServiceObject& api_service) {
  Findings out{check_available(api_service)};
  // A warning, because metrics still work; but anything on the network path may respond in place of
  // Weir.
  if (api_service.skips_verify) {
    out.push_back(warning(
        object(),
        "insecureSkipTLSVerify is set: the kube-apiserver does not verify Weir's certificate",
        "set caBundle, and remove insecureSkipTLSVerify"));
  }
  return out;
}

Findings check_service(const ObjectName& name, const ServiceObject& service, std::int64_t port) {
  // It has no ports of its own: the kube-apiserver uses the port of the APIService.
  if (service.type == "ExternalName") {
    return {
        ok(service_object(name), fmt::format("it refers to {}:{}", service.external_name, port))};
  }
  if (port_of(service, port) != nullptr) return {ok(service_object(name), "it exists")};
  std::vector<std::int64_t> ports;
  for (const auto& item : service.ports) ports.push_back(item.port);
  return {error(service_object(name),
                fmt::format("it has no port {}, which the APIService uses; its ports are {}",
                            port,
                            fmt::join(ports, ", ")),
                "fix spec.service.port of the APIService, or the Service's ports")};
}

std::int64_t target_port(const ServiceObject& service,
                         std::int64_t port,
                         const Endpoint& endpoint) {
  const auto* wanted = port_of(service, port);
  if (wanted == nullptr) return 0;
  // An EndpointSlice has the name of the Service's port, not its number.
  const auto match = endpoint.ports.find(wanted->name);
  return match == endpoint.ports.end() ? 0 : match->second;
}

Findings check_endpoints(const ObjectName& name,
                         const ServiceObject& service,
                         std::int64_t port,
                         std::span<const Endpoint> endpoints) {
  if (endpoints.empty()) {
    return {error(service_object(name),
                  "it has no endpoints",
                  "fix its selector so that it selects Weir's pods, and check that pods exist")};
  }
  const std::size_t all = count_of(endpoints, false);
  const std::size_t ready = count_of(endpoints, true);
  if (ready == 0) {
    return {error(service_object(name),
                  all == 1 ? std::string("its only endpoint is not ready")
                           : fmt::format("none of its {} endpoints is ready", all),
                  fmt::format("check kubectl -n {} get pods and the log of a pod; /readyz?verbose "
                              "names the failing check",
                              name.name_space))};
  }
  // The slice leaves out a named targetPort that no container of the pod has.
  const bool is_offered = std::ranges::any_of(endpoints, [&](const Endpoint& endpoint) {
    return endpoint.is_ready && target_port(service, port, endpoint) != 0;
  });
  if (!is_offered) {
    return {error(service_object(name),
                  fmt::format("no ready endpoint has the Service's port {}", port),
                  "give the container port the name that targetPort uses")};
  }
  // A warning, because one replica works until its first restart.
  if (ready == 1) {
    return {warning(service_object(name),
                    "1 endpoint is ready: while its pod restarts, no HPA can scale",
                    "run at least 2 replicas")};
  }
  return {ok(service_object(name), fmt::format("{} endpoints are ready", ready))};
}

}  // namespace weir::server::doctor
