// One HorizontalPodAutoscaler, read with the caller's own kubeconfig: for `weir explain --hpa`
// alone. `weir serve` never reads one.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/client.hpp"

#include <string>

namespace weir::server::cluster {

// The HPA as the kube-apiserver gives it, in JSON. Errc::unknown_object, refused, or what the HTTP
// client says. `client` outlives the read.
[[nodiscard]] awaitable<scalers::Result<std::string>> read_hpa(KubeClient* client,
                                                               std::string name_space,
                                                               std::string name,
                                                               Deadline deadline);

}  // namespace weir::server::cluster
