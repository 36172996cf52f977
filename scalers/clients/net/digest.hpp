// SHA-256 and HMAC-SHA-256, for signatures of requests. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::scalers::clients {

// The 32 bytes of HMAC-SHA-256 (RFC 2104).
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);
// The digest in 64 hexadecimal digits, in lower case.
[[nodiscard]] std::string sha256_hex(std::string_view text);
// Two digits a byte, in lower case.
[[nodiscard]] std::string hex(std::string_view bytes);

}  // namespace weir::scalers::clients
