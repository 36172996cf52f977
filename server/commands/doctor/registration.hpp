// Judges how the cluster knows Weir: the APIService, its Service and the endpoints behind that.
// Pure.
#pragma once

#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

inline constexpr const char* kApiServiceName = "v1beta1.external.metrics.k8s.io";

// Who answers for the cluster's external metrics.
struct Owner {
  enum class Kind { weir, foreign, unknown };
  Kind kind = Kind::unknown;
  std::string product;  // of a foreign one, such as "KEDA"
};

// `service` is the Service that the APIService names, when it could be read; `named` is the one
// that the caller says is Weir's.
[[nodiscard]] Owner owner_of(const ApiServiceObject& api_service,
                             const std::optional<ServiceObject>& service,
                             const std::optional<ObjectName>& named);

// Says of a foreign owner what taking its place would stop; `scaled_objects` counts the HPAs that
// belong to KEDA's ScaledObjects.
[[nodiscard]] Finding judge_owner(const Owner& owner,
                                  const ApiServiceObject& api_service,
                                  std::size_t scaled_objects);
// Whether it is available, and how the kube-apiserver verifies who answers.
[[nodiscard]] Findings judge_api_service(const ApiServiceObject& api_service);

// Its type, and the port that the APIService asks for.
[[nodiscard]] Findings judge_service(const ObjectName& name,
                                     const ServiceObject& service,
                                     std::int64_t port);
// Whether anything behind the Service is ready on that port.
[[nodiscard]] Findings judge_endpoints(const ObjectName& name,
                                       const ServiceObject& service,
                                       std::int64_t port,
                                       std::span<const Endpoint> endpoints);

// Where to dial an endpoint for the Service's `port`; 0 when it does not offer that.
[[nodiscard]] std::int64_t dialled_port(const ServiceObject& service,
                                        std::int64_t port,
                                        const Endpoint& endpoint);

}  // namespace weir::server::doctor
