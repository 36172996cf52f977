// Redacts the error text of a remote system for display: bounded, printable, without addresses or
// secrets. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::scalers {

// At most 300 bytes of `raw` on one line. Every text of `redactions` becomes "[hidden]" (a text
// under 4 bytes only where it is a whole word), also where it is encoded as in echo.hpp, once or
// several times, or within a text in base64, of either alphabet; as do urls, IP addresses, names
// with a port, ports, users, host names in messages about lookups, dialing and certificates, and
// everything that looks like a host name: private ones (.internal, .local, .svc, .example), and
// outside of quotes names of three labels and more. Control bytes and invalid UTF-8 become a space.
[[nodiscard]] std::string remote_text(std::string_view raw,
                                      std::span<const std::string> redactions);

// The same without redacting addresses, for `explain` only.
[[nodiscard]] std::string addressed_text(std::string_view raw,
                                         std::span<const std::string> secrets);

}  // namespace weir::scalers
