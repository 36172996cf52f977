// Makes a remote system's own words fit to be shown: bounded, printable, without addresses or
// secrets. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::scalers {

// At most 300 bytes of `raw` on one line. Every text of `hidden` becomes "[hidden]" (one under 4
// bytes only where it stands as a word), as do urls, IP addresses, names with a port, ports, users,
// names that were dialled or stand in a certificate, and what looks like a host name: private ones
// (.internal, .local, .svc, .example), and outside of quotes names of three labels and more.
// Control bytes and invalid UTF-8 become a blank.
[[nodiscard]] std::string remote_text(std::string_view raw, std::span<const std::string> hidden);

// The same with the addresses left in, for `explain` alone.
[[nodiscard]] std::string addressed_text(std::string_view raw,
                                         std::span<const std::string> secrets);

}  // namespace weir::scalers
