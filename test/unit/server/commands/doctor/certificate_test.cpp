#include "server/commands/doctor/certificate.hpp"

#include "test/rigs/certificates.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace weir::server::doctor {
namespace {

using namespace std::chrono_literals;
using test::certificate_pem;
using test::issue;
using test::issue_authority;
using test::Issued;

constexpr long kDay = 86'400;

struct Leaf {
  std::string names = "DNS:weir.weir-system.svc";
  std::string usage = "serverAuth";
  long starts_in = -3'600;
  long ends_in = 90 * kDay;
};

Issued serving(const Leaf& leaf, const Issued& authority) {
  return issue({.subject = {{"CN", "weir.weir-system.svc"}},
                .is_authority = false,
                .extended_key_usage = leaf.usage,
                .starts_in = leaf.starts_in,
                .ends_in = leaf.ends_in,
                .alternative_names = leaf.names},
               &authority);
}

ApiServiceObject api_service(const std::string& ca_pem) {
  ApiServiceObject out;
  out.service = ObjectName{"weir-system", "weir"};
  out.ca_pem = ca_pem;
  return out;
}

// "severity what" of each, without the dates.
std::string shown(const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    const std::string what = finding.what.substr(0, finding.what.find(" 2"));
    out += (finding.severity == Severity::ok        ? "ok "
            : finding.severity == Severity::warning ? "warning "
                                                    : "error ") +
           what + "\n";
  }
  return out;
}

TEST_CASE("a served certificate is checked as the kube-apiserver would") {
  struct Row {
    std::string_view name;
    Leaf leaf;
    std::string_view findings;
  };
  const Row rows[] = {
      {"good", {}, "ok its certificate matches the Service and the caBundle until\n"},
      {"a wildcard",
       {.names = "DNS:*.weir-system.svc"},
       "ok its certificate matches the Service and the caBundle until\n"},
      {"another name",
       {.names = "DNS:a.svc,IP:10.0.0.1,DNS:weir.weir-system"},
       "error its certificate is for a.svc, weir.weir-system, not for weir.weir-system.svc\n"},
      {"the name as common name alone",
       {.names = ""},
       "error its certificate is for no DNS name, not for weir.weir-system.svc\n"},
      {"expired", {.ends_in = -60}, "error its certificate expired on\n"},
      {"not yet valid", {.starts_in = 3'600}, "error its certificate is valid only from\n"},
      {"expires soon", {.ends_in = 13 * kDay}, "warning its certificate expires on\n"},
      {"for clients alone",
       {.usage = "clientAuth"},
       "error its certificate has no valid chain to the APIService's caBundle: unsuitable "
       "certificate "
       "purpose\n"},
      {"expired, and another name",
       {.names = "DNS:a.svc", .ends_in = -60},
       "error its certificate expired on\n"
       "error its certificate is for a.svc, not for weir.weir-system.svc\n"},
  };
  const Issued authority = issue_authority("CA");
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Chain chain{serving(row.leaf, authority).certificate};

      const auto found = check_chain("server",
                                     chain,
                                     api_service(certificate_pem(authority)),
                                     std::chrono::system_clock::now());

      CHECK(shown(found) == row.findings);
    }
  }
}

TEST_CASE("a chain has to be valid for the caBundle") {
  const Issued root = issue_authority("root");
  const Issued between = issue_authority("between", &root);
  const Issued other = issue_authority("other");
  const Issued leaf = serving({}, between);
  const auto now = std::chrono::system_clock::now();
  const std::string is_healthy = "ok its certificate matches the Service and the caBundle until\n";
  const std::string has_no_chain =
      "error its certificate has no valid chain to the APIService's caBundle: unable to get local "
      "issuer "
      "certificate\n";
  const auto check = [&](const Chain& chain, const std::string& bundle) {
    return shown(check_chain("server", chain, api_service(bundle), now));
  };

  CHECK(check({leaf.certificate, between.certificate}, certificate_pem(root)) == is_healthy);
  CHECK(check({leaf.certificate}, certificate_pem(between)) == is_healthy);
  CHECK(check({leaf.certificate}, certificate_pem(other) + certificate_pem(between)) == is_healthy);
  CHECK(check({leaf.certificate}, certificate_pem(root)) == has_no_chain);
  CHECK(check({leaf.certificate, between.certificate}, certificate_pem(other)) == has_no_chain);
  CHECK(check({leaf.certificate}, "") == "ok its certificate matches the Service until\n");
  CHECK(check({}, certificate_pem(root)) == "error it sent no certificate\n");
}

TEST_CASE("a caBundle is checked without a served certificate") {
  const Issued authority = issue_authority("CA");
  const auto now = std::chrono::system_clock::now();
  auto skipping = api_service("");
  skipping.skips_verify = true;
  auto no_base64 = api_service("");
  no_base64.is_ca_base64 = false;

  CHECK(shown(check_ca_bundle(api_service(certificate_pem(authority)), now)).empty());
  CHECK(shown(check_ca_bundle(skipping, now)).empty());
  CHECK(shown(check_ca_bundle(no_base64, now)) == "error caBundle is not valid base64\n");
  CHECK(shown(check_ca_bundle(api_service(""), now)) ==
        "warning caBundle is not set: the kube-apiserver trusts only its own root CAs\n");
  CHECK(shown(check_ca_bundle(api_service("hello"), now)) ==
        "error caBundle: it has no PEM certificate\n");
  CHECK(shown(check_ca_bundle(api_service(certificate_pem(authority)), now + 2h)) ==
        "error every certificate in caBundle has expired\n");
}

}  // namespace
}  // namespace weir::server::doctor
