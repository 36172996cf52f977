// What `weir check` says about a valid configuration: what `empty` covers, and labels that no
// selector can set. Pure, apart from the command for tests.
#pragma once

#include "scalers/read/world.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::server {

// One line each, without line end: "warning    ml/depth: TEXT" or "note       ml/depth: TEXT". The
// labels in the order of the metrics, then `empty` with one line for each kind.
[[nodiscard]] std::vector<std::string> remarks_on(std::span<const scalers::MetricInfo> metrics);

// The risks in the settings of backends: "warning    backend prom: auth.oauth2.tokenUrl is ...".
[[nodiscard]] std::vector<std::string> remarks_on_backends(
    std::span<const scalers::BackendState> backends);

// The proxy of each backend that uses one, and the variables of the environment that cannot be
// used: "note       backend prom: it uses the proxy http://proxy:3128 (HTTPS_PROXY)".
[[nodiscard]] std::vector<std::string> remarks_on_proxies(
    std::span<const scalers::BackendState> backends,
    const scalers::clients::ProxyRules& proxies);

}  // namespace weir::server
