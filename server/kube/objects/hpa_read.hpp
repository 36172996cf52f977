// Reads one HorizontalPodAutoscaler with the kubeconfig of the user, for `weir explain --hpa`.
// `weir serve` never reads HPAs.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/client.hpp"

#include <string>

namespace weir::server::cluster {

// The HPA in JSON. Errc::unknown_object, refused, forbidden, bad_reply, or the errors of the HTTP
// client. `client` outlives the read.
[[nodiscard]] awaitable<scalers::Result<std::string>> read_hpa(KubeClient* client,
                                                               std::string name_space,
                                                               std::string name,
                                                               Deadline deadline);

}  // namespace weir::server::cluster
