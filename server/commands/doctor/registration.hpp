// Checks how Weir is registered in the cluster: the APIService, its Service and the endpoints of
// the Service. Pure.
#pragma once

#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

// The APIService of the group that Weir serves: VERSION.GROUP, because no other name is valid.
[[nodiscard]] std::string api_service_name();

// The adapter that serves the external metrics of the cluster.
struct Owner {
  enum class Kind { weir, foreign, unknown };
  Kind kind = Kind::unknown;
  std::string product;  // of a foreign owner, such as "KEDA"
};

// `service` is the Service that the APIService names, if it could be read; `named` is the
// Service that the user says is Weir's.
[[nodiscard]] Owner owner_of(const ApiServiceObject& api_service,
                             const std::optional<ServiceObject>& service,
                             const std::optional<ObjectName>& named);

// For a foreign owner the finding says what would break if Weir replaced it; `scaled_objects` is
// the number of HPAs that belong to ScaledObjects of KEDA.
[[nodiscard]] Finding check_owner(const Owner& owner,
                                  const ApiServiceObject& api_service,
                                  std::size_t scaled_objects);
// Whether the APIService is available, and whether the kube-apiserver verifies Weir's certificate.
[[nodiscard]] Findings check_api_service(const ApiServiceObject& api_service);

// The type of the Service, and whether it has the port of the APIService.
[[nodiscard]] Findings check_service(const ObjectName& name,
                                     const ServiceObject& service,
                                     std::int64_t port);
// Whether an endpoint of the Service is ready on that port.
[[nodiscard]] Findings check_endpoints(const ObjectName& name,
                                       const ServiceObject& service,
                                       std::int64_t port,
                                       std::span<const Endpoint> endpoints);

// The port of an endpoint that the Service's `port` maps to; 0 when the endpoint has none.
[[nodiscard]] std::int64_t target_port(const ServiceObject& service,
                                       std::int64_t port,
                                       const Endpoint& endpoint);

}  // namespace weir::server::doctor
