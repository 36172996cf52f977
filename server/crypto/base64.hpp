// Base64 as kubeconfigs and Kubernetes objects hold it. Pure.
#pragma once

#include <optional>
#include <string>

namespace weir::server::cluster {

// The bytes that `text` stands for, white space aside; nullopt when it is no base64.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string text);

}  // namespace weir::server::cluster
