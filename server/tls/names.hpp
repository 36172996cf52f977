// Translates Go's names of TLS versions and cipher suites, which the flags of Kubernetes servers
// use, to OpenSSL's. Pure.
#pragma once

#include "server/tls/context.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::server {

struct TlsNameProblem {
  std::string what;  // the invalid name, and what to write instead
};

// The settings that `--tls-min-version` ("" or "VersionTLS12", "VersionTLS13") and
// `--tls-cipher-suites` (none: the default) ask for. Suites of TLS 1.3 are accepted and ignored, as
// in Go.
[[nodiscard]] std::variant<TlsSettings, TlsNameProblem> parse_tls_names(
    std::string_view min_version,
    const std::vector<std::string>& suites);

}  // namespace weir::server
