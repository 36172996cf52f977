#include "server/commands/doctor/registration.hpp"

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

// A part of the Service's name, or of a label's value, that gives its maker away.
struct Maker {
  std::string_view part;
  std::string_view product;
};

constexpr std::array kMakers{
    Maker{"keda", "KEDA"},
    Maker{"prometheus-adapter", "prometheus-adapter"},
    Maker{"datadog", "the Datadog cluster agent"},
    Maker{"stackdriver", "Google's custom metrics adapter"},
    Maker{"cloudwatch", "the CloudWatch adapter"},
    Maker{"azure-k8s-metrics-adapter", "the Azure adapter"},
    Maker{"kube-metrics-adapter", "kube-metrics-adapter"},
    Maker{"newrelic", "the New Relic adapter"},
};

constexpr std::array<const char*, 3> kNamingLabels{"app.kubernetes.io/name",
                                                   "app.kubernetes.io/part-of",
                                                   "app"};

std::string_view maker_in(std::string_view text) {
  const auto* found = std::ranges::find_if(kMakers, [&](const Maker& maker) {
    return text.find(maker.part) != text.npos;
  });
  return found == kMakers.end() ? std::string_view() : found->product;
}

// What the labels of both objects call them.
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

std::string object() { return fmt::format("APIService {}", kApiServiceName); }

std::string service_object(const ObjectName& name) { return "Service " + name.text(); }

struct Advice {
  std::string_view reason;
  std::string_view action;
};

// The reasons of the aggregator's availability controller.
constexpr std::array kAdvice{
    Advice{"ServiceNotFound", "create the Service, or mend spec.service of the APIService"},
    Advice{"ServicePortError", "write a port of the Service into spec.service.port"},
    Advice{"EndpointsNotFound", "mend the Service's selector until it finds Weir's pods"},
    Advice{"MissingEndpoints", "no pod behind the Service is ready: look at Weir's pods"},
    Advice{
        "FailedDiscoveryCheck",
        "the kube-apiserver cannot ask Weir: a certificate (below), a NetworkPolicy, or a 401 or "
        "403 by the front proxy's CA"},
};

std::string advice_of(std::string_view reason) {
  const auto* found = std::ranges::find(kAdvice, reason, &Advice::reason);
  return std::string(found == kAdvice.end() ? "mend what the text names" : found->action);
}

Finding judge_available(const ApiServiceObject& api_service) {
  const auto found = std::ranges::find(api_service.conditions, "Available", &Condition::type);
  if (found == api_service.conditions.end()) {
    return warning(object(),
                   "the cluster has not judged yet whether it is available",
                   "ask again in a minute");
  }
  if (found->status == "True") return ok(object(), "it is available");
  return error(object(),
               fmt::format("it is not available: {}: {}", found->reason, found->message),
               advice_of(found->reason));
}

// How many there are: a pod has one address a family, and is one all the same.
std::size_t count_of(std::span<const Endpoint> endpoints, bool is_ready_alone) {
  std::set<std::pair<bool, std::string>> out;
  for (const Endpoint& endpoint : endpoints) {
    const bool is_pod = !endpoint.pod.empty();
    if (endpoint.is_ready || !is_ready_alone)
      out.emplace(is_pod, is_pod ? endpoint.pod : endpoint.address);
  }
  return out.size();
}

const ServiceObject::Port* port_of(const ServiceObject& service, std::int64_t port) {
  const auto found = std::ranges::find(service.ports, port, &ServiceObject::Port::port);
  return found == service.ports.end() ? nullptr : &*found;
}

}  // namespace

Owner owner_of(const ApiServiceObject& api_service,
               const std::optional<ServiceObject>& service,
               const std::optional<ObjectName>& named) {
  if (!api_service.service) return {Owner::Kind::foreign, "the kube-apiserver itself"};
  if (named && *named == *api_service.service) return {Owner::Kind::weir, ""};
  // What says something first decides: a Service's name is nearer to who answers than the labels of
  // an APIService, which stay when somebody turns it to another Service.
  auto texts = naming_labels(api_service, service);
  texts.insert(texts.begin(), api_service.service->name);
  texts.push_back(api_service.service->name_space);
  for (const std::string& text : texts) {
    const auto maker = maker_in(text);
    if (!maker.empty()) return {Owner::Kind::foreign, std::string(maker)};
    if (!named && text.find("weir") != text.npos) return {Owner::Kind::weir, ""};
  }
  if (named) return {Owner::Kind::foreign, "another server"};
  return {Owner::Kind::unknown, ""};
}

Finding judge_owner(const Owner& owner,
                    const ApiServiceObject& api_service,
                    std::size_t scaled_objects) {
  const std::string service = api_service.service ? api_service.service->text() : "none";
  switch (owner.kind) {
    case Owner::Kind::weir:
      return ok(object(), fmt::format("it belongs to Weir's Service {}", service));
    case Owner::Kind::unknown:
      return warning(
          object(),
          fmt::format("whether its Service {} is Weir's cannot be told", service),
          fmt::format("if it is, give --service {0}; if not: a cluster has one provider "
                      "of external metrics, and applying Weir's APIService over it stops "
                      "every HPA that reads from the other",
                      service));
    case Owner::Kind::foreign: break;
  }
  const bool is_keda = owner.product == "KEDA";
  const std::string stopped =
      is_keda ? fmt::format("every ScaledObject ({} HPAs here are KEDA's)", scaled_objects)
              : std::string("every HPA that reads from the other");
  return error(object(),
               fmt::format("it belongs to {} (Service {})", owner.product, service),
               fmt::format("a cluster has one provider of external metrics: applying Weir's "
                           "APIService over it stops {}; move those to HPAs of your own first",
                           stopped));
}

Findings judge_api_service(const ApiServiceObject& api_service) {
  Findings out{judge_available(api_service)};
  if (api_service.skips_verify) {
    out.push_back(warning(object(),
                          "insecureSkipTLSVerify is set: whoever answers is believed",
                          "set caBundle, and remove insecureSkipTLSVerify"));
  }
  return out;
}

Findings judge_service(const ObjectName& name, const ServiceObject& service, std::int64_t port) {
  if (service.type == "ExternalName") {
    return {
        ok(service_object(name), fmt::format("it stands for {}:{}", service.external_name, port))};
  }
  if (port_of(service, port) != nullptr) return {ok(service_object(name), "it is there")};
  std::vector<std::int64_t> ports;
  for (const auto& one : service.ports) ports.push_back(one.port);
  return {error(service_object(name),
                fmt::format("it has no port {}, which the APIService asks for; its ports are {}",
                            port,
                            fmt::join(ports, ", ")),
                "mend spec.service.port of the APIService, or the Service's ports")};
}

std::int64_t dialled_port(const ServiceObject& service,
                          std::int64_t port,
                          const Endpoint& endpoint) {
  const auto* wanted = port_of(service, port);
  if (wanted == nullptr) return 0;
  const auto found = endpoint.ports.find(wanted->name);
  return found == endpoint.ports.end() ? 0 : found->second;
}

Findings judge_endpoints(const ObjectName& name,
                         const ServiceObject& service,
                         std::int64_t port,
                         std::span<const Endpoint> endpoints) {
  if (endpoints.empty()) {
    return {error(service_object(name),
                  "it has no endpoint",
                  "mend its selector until it finds Weir's pods, and see that there are pods")};
  }
  const std::size_t ready = count_of(endpoints, true);
  if (ready == 0) {
    return {error(service_object(name),
                  fmt::format("none of its {} endpoints is ready", count_of(endpoints, false)),
                  fmt::format("kubectl -n {} get pods, and the log of one: /readyz says which "
                              "check fails",
                              name.name_space))};
  }
  const bool is_offered = std::ranges::any_of(endpoints, [&](const Endpoint& endpoint) {
    return endpoint.is_ready && dialled_port(service, port, endpoint) != 0;
  });
  if (!is_offered) {
    return {error(service_object(name),
                  fmt::format("no ready endpoint has the Service's port {}", port),
                  "let the pods' port have the name that targetPort says")};
  }
  if (ready == 1) {
    return {warning(service_object(name),
                    "one endpoint is ready: while its pod restarts, no HPA can scale",
                    "run two replicas")};
  }
  return {ok(service_object(name), fmt::format("{} endpoints are ready", ready))};
}

}  // namespace weir::server::doctor
