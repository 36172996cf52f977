// SHA-256, for keys that stand for secrets or for long texts. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::server::cluster {

// The 32 bytes themselves.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace weir::server::cluster
