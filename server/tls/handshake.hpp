// Why a TLS handshake failed, for the log. Pure.
#pragma once

#include <string>

namespace weir::server {

// The reason in plain words where the usual causes have one; otherwise OpenSSL's text. `problem` is
// OpenSSL's error, 0 when the connection ended without one.
[[nodiscard]] std::string handshake_reason(unsigned long problem, bool is_closed_here);

}  // namespace weir::server
