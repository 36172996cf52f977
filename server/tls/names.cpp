// The table of cipher suites. The CHACHA20 suites have two names in Go, so they have two rows.
#include "server/tls/names.hpp"

#include "scalers/text/suggest.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace weir::server {
namespace {

struct Suite {
  std::string_view go;
  std::string_view openssl;  // empty: a suite of TLS 1.3, where the flag has no effect
};

// Only ECDHE with an AEAD cipher: forward secrecy and authenticated encryption.
constexpr std::array<Suite, 11> kSuites{{
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
}};

std::string unknown_suite(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Suite& suite : kSuites) names.push_back(suite.go);
  // Suites that Go knows and Weir refuses get a reason of their own.
  const bool is_old = name.find("_CBC_") != name.npos || name.starts_with("TLS_RSA_") ||
                      name.find("_RC4_") != name.npos || name.find("_3DES_") != name.npos;
  if (is_old) {
    return fmt::format(
        "--tls-cipher-suites: {} is not offered: only suites with forward secrecy "
        "and authenticated encryption are offered",
        name);
  }
  return fmt::format("--tls-cipher-suites: there is no suite \"{}\"{}; the suites are {}",
                     name,
                     scalers::did_you_mean(name, names),
                     fmt::join(names, ", "));
}

}  // namespace

std::variant<TlsSettings, TlsNameProblem> parse_tls_names(std::string_view min_version,
                                                          const std::vector<std::string>& suites) {
  TlsSettings out;
  // Versions below 1.2 are not offered: they have no AEAD suites.
  if (min_version == "VersionTLS13") {
    out.min_version = TLS1_3_VERSION;
  } else if (!min_version.empty() && min_version != "VersionTLS12") {
    return TlsNameProblem{
        fmt::format("--tls-min-version: write VersionTLS12 or VersionTLS13, not \"{}\"",
                    min_version)};
  }
  std::string list;
  for (const std::string& name : suites) {
    const auto* suite = std::ranges::find(kSuites, std::string_view(name), &Suite::go);
    if (suite == kSuites.end()) return TlsNameProblem{unknown_suite(name)};
    // OpenSSL configures the suites of TLS 1.3 apart, and Go not at all.
    if (!suite->openssl.empty())
      list += fmt::format("{}{}", list.empty() ? "" : ":", suite->openssl);
  }
  // Suites of TLS 1.3 alone do not switch TLS 1.2 off: --tls-min-version does.
  if (!list.empty()) out.suites = std::move(list);
  return out;
}

}  // namespace weir::server
