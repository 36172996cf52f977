#include "server/tls/names.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

// "version suites", or the problem.
std::string outcome(std::string_view version, const std::vector<std::string>& suites) {
  const auto parsed = parse_tls_names(version, suites);
  if (const auto* problem = std::get_if<TlsNameProblem>(&parsed)) return problem->what;
  const auto& settings = std::get<TlsSettings>(parsed);
  const char* name = settings.min_version == TLS1_3_VERSION ? "1.3 " : "1.2 ";
  return name + settings.suites;
}

TEST_CASE("Go's names of versions and suites become OpenSSL's") {
  CHECK(outcome("", {}) == "1.2 ECDHE+AESGCM:ECDHE+CHACHA20");
  CHECK(outcome("VersionTLS12", {}) == "1.2 ECDHE+AESGCM:ECDHE+CHACHA20");
  CHECK(outcome("VersionTLS13", {}) == "1.3 ECDHE+AESGCM:ECDHE+CHACHA20");
  CHECK(outcome(
            "",
            {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"}) ==
        "1.2 ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305");
}

TEST_CASE("suites of TLS 1.3 are accepted and change nothing") {
  CHECK(outcome("", {"TLS_AES_128_GCM_SHA256"}) == "1.2 ECDHE+AESGCM:ECDHE+CHACHA20");
}

TEST_CASE("an unknown suite is an error with the known ones") {
  CHECK(outcome("VersionTLS11", {}) ==
        "--tls-min-version: write VersionTLS12 or VersionTLS13, not \"VersionTLS11\"");
  CHECK(outcome("", {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}) ==
        "--tls-cipher-suites: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not offered: only suites with "
        "forward secrecy and authenticated encryption are offered");
  CHECK_THAT(outcome("", {"TLS_ECDHE_RSA_WITH_AES_128_GCM"}),
             Catch::StartsWith(
                 "--tls-cipher-suites: there is no suite \"TLS_ECDHE_RSA_WITH_AES_128_GCM\""));
}

}  // namespace
}  // namespace weir::server
