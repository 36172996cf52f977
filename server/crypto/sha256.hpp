// SHA-256, for cache keys that must not hold a secret or a long text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::server::cluster {

// The 32 bytes of the digest, not their hexadecimal form.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace weir::server::cluster
