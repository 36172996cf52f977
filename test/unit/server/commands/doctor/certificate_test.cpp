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

TEST_CASE("a served certificate is judged as the kube-apiserver would") {
  struct Row {
    std::string_view name;
    Leaf leaf;
    std::string_view findings;
  };
  const Row rows[] = {
      {"good", {}, "ok its certificate is the Service's and the caBundle's, until\n"},
      {"a wildcard",
       {.names = "DNS:*.weir-system.svc"},
       "ok its certificate is the Service's and the caBundle's, until\n"},
      {"another name",
       {.names = "DNS:a.svc,IP:10.0.0.1,DNS:weir.weir-system"},
       "error its certificate is for a.svc, weir.weir-system, not for weir.weir-system.svc\n"},
      {"the name as common name alone",
       {.names = ""},
       "error its certificate is for none, not for weir.weir-system.svc\n"},
      {"expired", {.ends_in = -60}, "error its certificate expired on\n"},
      {"not yet valid", {.starts_in = 3'600}, "error its certificate is valid only from\n"},
      {"expires soon", {.ends_in = 13 * kDay}, "warning its certificate expires on\n"},
      {"for clients alone",
       {.usage = "clientAuth"},
       "error its certificate does not lead to the APIService's caBundle: unsuitable certificate "
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

      const auto found = judge_chain("server",
                                     chain,
                                     api_service(certificate_pem(authority)),
                                     std::chrono::system_clock::now());

      CHECK(shown(found) == row.findings);
    }
  }
}

TEST_CASE("a chain has to lead to the caBundle") {
  const Issued root = issue_authority("root");
  const Issued between = issue_authority("between", &root);
  const Issued other = issue_authority("other");
  const Issued leaf = serving({}, between);
  const auto now = std::chrono::system_clock::now();
  const std::string is_well = "ok its certificate is the Service's and the caBundle's, until\n";
  const std::string leads_nowhere =
      "error its certificate does not lead to the APIService's caBundle: unable to get local "
      "issuer "
      "certificate\n";
  const auto judged = [&](const Chain& chain, const std::string& bundle) {
    return shown(judge_chain("server", chain, api_service(bundle), now));
  };

  CHECK(judged({leaf.certificate, between.certificate}, certificate_pem(root)) == is_well);
  CHECK(judged({leaf.certificate}, certificate_pem(between)) == is_well);
  CHECK(judged({leaf.certificate}, certificate_pem(other) + certificate_pem(between)) == is_well);
  CHECK(judged({leaf.certificate}, certificate_pem(root)) == leads_nowhere);
  CHECK(judged({leaf.certificate, between.certificate}, certificate_pem(other)) == leads_nowhere);
  CHECK(judged({leaf.certificate}, "") == "ok its certificate is the Service's, until\n");
  CHECK(judged({}, certificate_pem(root)) == "error it showed no certificate\n");
}

TEST_CASE("a caBundle by itself") {
  const Issued authority = issue_authority("CA");
  const auto now = std::chrono::system_clock::now();
  auto skipping = api_service("");
  skipping.skips_verify = true;
  auto no_base64 = api_service("");
  no_base64.is_ca_base64 = false;

  CHECK(shown(judge_ca_bundle(api_service(certificate_pem(authority)), now)).empty());
  CHECK(shown(judge_ca_bundle(skipping, now)).empty());
  CHECK(shown(judge_ca_bundle(no_base64, now)) == "error caBundle is no base64\n");
  CHECK(shown(judge_ca_bundle(api_service(""), now)) ==
        "warning there is no caBundle: only the kube-apiserver's own roots are believed\n");
  CHECK(shown(judge_ca_bundle(api_service("hello"), now)) ==
        "error caBundle: it holds no PEM certificate\n");
  CHECK(shown(judge_ca_bundle(api_service(certificate_pem(authority)), now + 2h)) ==
        "error every certificate of caBundle has expired\n");
}

}  // namespace
}  // namespace weir::server::doctor
