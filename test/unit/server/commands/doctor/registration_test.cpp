#include "server/commands/doctor/registration.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::doctor {
namespace {

ApiServiceObject api_service(const ObjectName& service, Labels labels = {}) {
  ApiServiceObject out;
  out.service = service;
  out.labels = std::move(labels);
  return out;
}

std::string shown(const Owner& owner) {
  if (owner.kind == Owner::Kind::weir) return "Weir";
  return owner.kind == Owner::Kind::unknown ? "unknown" : owner.product;
}

TEST_CASE("the owner of external metrics, by names and labels") {
  struct Row {
    std::string_view name;
    ObjectName service;
    Labels labels;             // of the APIService
    Labels labels_of_service;  // of the Service
    std::optional<ObjectName> named;
    std::string_view owner;
  };
  const ObjectName other{"n", "metrics"};
  const Row rows[] = {
      {"Weir's name", {"weir-system", "weir"}, {}, {}, {}, "Weir"},
      {"a release's name", {"n", "prod-weir"}, {}, {}, {}, "Weir"},
      {"Weir's label", other, {{"app.kubernetes.io/name", "weir"}}, {}, {}, "Weir"},
      {"Weir's label on the Service", other, {}, {{"app.kubernetes.io/name", "weir"}}, {}, "Weir"},
      {"Weir in KEDA's namespace", {"keda", "weir"}, {}, {}, {}, "Weir"},
      {"Weir's namespace", {"weir-system", "adapter"}, {}, {}, {}, "Weir"},
      {"the named one", other, {}, {}, other, "Weir"},
      {"the named one with a foreign name", {"keda", "m"}, {}, {}, {{"keda", "m"}}, "Weir"},
      {"KEDA", {"keda", "keda-operator-metrics-apiserver"}, {}, {}, {}, "KEDA"},
      {"an APIService of Weir's that was turned to KEDA",
       {"keda", "keda-operator-metrics-apiserver"},
       {{"app.kubernetes.io/name", "weir"}},
       {},
       {},
       "KEDA"},
      {"KEDA's namespace", {"keda", "metrics"}, {}, {}, {}, "KEDA"},
      {"KEDA's label", other, {{"app.kubernetes.io/part-of", "keda-operator"}}, {}, {}, "KEDA"},
      {"KEDA, though Weir is named",
       {"keda", "keda-metrics-apiserver"},
       {},
       {},
       {{"weir-system", "weir"}},
       "KEDA"},
      {"prometheus-adapter",
       {"monitoring", "x-prometheus-adapter"},
       {},
       {},
       {},
       "prometheus-adapter"},
      {"Datadog",
       {"n", "datadog-cluster-agent-metrics-server"},
       {},
       {},
       {},
       "the Datadog cluster agent"},
      {"another than the named one", other, {}, {}, {{"weir-system", "weir"}}, "another server"},
      {"unknown", other, {{"app", "metrics"}}, {}, {}, "unknown"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ServiceObject service;
      service.labels = row.labels_of_service;

      const Owner owner = owner_of(api_service(row.service, row.labels), service, row.named);

      CHECK(shown(owner) == row.owner);
    }
  }
}

TEST_CASE("an APIService without a Service is the kube-apiserver's") {
  CHECK(shown(owner_of(ApiServiceObject{}, std::nullopt, std::nullopt)) ==
        "the kube-apiserver itself");
}

TEST_CASE("the finding about another owner names what would break") {
  const auto keda = check_owner({Owner::Kind::foreign, "KEDA"}, api_service({"keda", "k"}), 12);
  const auto other = check_owner({Owner::Kind::foreign, "x"}, api_service({"n", "k"}), 12);

  CHECK(keda.severity == Severity::error);
  CHECK(keda.action ==
        "a cluster has one provider of external metrics: applying Weir's APIService breaks "
        "every ScaledObject (12 HPAs of KEDA); replace those with your own HPAs first");
  CHECK(other.action.find("breaks every HPA that uses the other provider;") != std::string::npos);
}

TEST_CASE("an endpoint is reached at the port with the name of the Service's port") {
  ServiceObject service;
  service.ports = {{"metrics", 9090}, {"https", 443}};
  const Endpoint endpoint{"10.0.0.1", true, "p", {{"https", 6443}, {"metrics", 9091}}};
  const Endpoint another{"10.0.0.1", true, "p", {{"", 6443}}};

  CHECK(target_port(service, 443, endpoint) == 6443);
  CHECK(target_port(service, 9090, endpoint) == 9091);
  CHECK(target_port(service, 8443, endpoint) == 0);
  CHECK(target_port(service, 443, another) == 0);
}

TEST_CASE("ready endpoints are counted by pods, and by addresses without pods") {
  struct Row {
    std::string_view name;
    std::vector<Endpoint> endpoints;
    std::string_view what;
  };
  const std::map<std::string, std::int64_t> ports{{"https", 6443}};
  const Row rows[] = {
      {"a pod of both families",
       {{"10.0.0.1", true, "p", ports}, {"fd00::1", true, "p", ports}},
       "1 endpoint is ready: while its pod restarts, no HPA can scale"},
      {"two pods of both families",
       {{"10.0.0.1", true, "p", ports},
        {"10.0.0.2", true, "q", ports},
        {"fd00::1", true, "p", ports},
        {"fd00::2", true, "q", ports}},
       "2 endpoints are ready"},
      {"no pods",
       {{"10.0.0.1", true, "", ports}, {"10.0.0.2", true, "", ports}},
       "2 endpoints are ready"},
      {"a pod that is not ready",
       {{"10.0.0.1", false, "p", ports}, {"fd00::1", false, "p", ports}},
       "its only endpoint is not ready"},
  };
  ServiceObject service;
  service.ports = {{"https", 443}};
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto found = check_endpoints({"n", "weir"}, service, 443, row.endpoints);

      REQUIRE(found.size() == 1);
      CHECK(found[0].what == row.what);
    }
  }
}

TEST_CASE("each reason of the availability controller has its own action") {
  struct Row {
    std::string_view reason;
    std::string_view action;
  };
  const Row rows[] = {
      {"ServiceNotFound", "create the Service, or fix spec.service of the APIService"},
      {"ServicePortError", "set spec.service.port to a port of the Service"},
      {"EndpointsNotFound", "fix the Service's selector so that it selects Weir's pods"},
      {"MissingEndpoints", "no pod of the Service is ready: check Weir's pods"},
      {"SomethingElse", "fix the cause that the message names"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.reason) {
      ApiServiceObject object;
      object.conditions = {{"Available", "False", std::string(row.reason), "why"}};

      const auto found = check_api_service(object);

      REQUIRE(found.size() == 1);
      CHECK(found[0].severity == Severity::error);
      CHECK(found[0].action == row.action);
    }
  }
}

}  // namespace
}  // namespace weir::server::doctor
