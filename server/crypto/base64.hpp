// Base64 as kubeconfigs and Kubernetes objects hold it. Pure.
#pragma once

#include <optional>
#include <string>

namespace weir::server::cluster {

// The decoded bytes; white space is ignored. nullopt when `text` is not valid base64.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string text);

}  // namespace weir::server::cluster
