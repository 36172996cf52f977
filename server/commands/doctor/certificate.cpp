// Checks certificates as the kube-apiserver does, which follows the rules of Go's crypto/x509.
#include "server/commands/doctor/certificate.hpp"

#include "apiservice/encoding/time.hpp"
#include "server/commands/doctor/registration.hpp"
#include "server/crypto/asn1_time.hpp"
#include "server/crypto/c_deleter.hpp"
#include "server/tls/peer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::server::doctor {
namespace {

using Store = std::unique_ptr<X509_STORE, CDeleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, CDeleter<X509_STORE_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, CDeleter<GENERAL_NAMES_free>>;

// cert-manager renews earlier, when a third of the lifetime is left. So a certificate this close to
// its end is renewed by hand, or its renewal has failed.
constexpr std::chrono::days kRenewalNotice{14};
// A shared certificate may have a hundred names, and a finding is one line.
constexpr std::size_t kMaxNames = 8;

// An unreadable time is in the past: the certificate counts as expired.
WallTime time_of(const ASN1_TIME* time) { return wall_time_of(time).value_or(WallTime{}); }

std::string dns_names_of(X509* certificate) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS || out.size() == kMaxNames) continue;
    const ASN1_IA5STRING* text = name->d.dNSName;
    // With its length, because the name is not terminated and may contain a zero byte.
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return out.empty() ? "no DNS name" : fmt::format("{}", fmt::join(out, ", "));
}

// Why the chain is not valid for the bundle, as OpenSSL's error text; empty when it is valid. Dates
// are ignored, because check_dates() reports an expired certificate.
std::string chain_error(const Chain& chain, const CaBundle& bundle) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  STACK_OF(X509)* others = sk_X509_new_null();
  for (const auto& authority : bundle.certificates())
    X509_STORE_add_cert(store.get(), authority.get());
  for (const auto& certificate : chain) sk_X509_push(others, certificate.get());
  // Every certificate of the bundle is a trust anchor, as in Go.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  std::string out = "out of memory";
  if (X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), others) == 1) {
    // An extended key usage must permit a server, as in Go.
    X509_STORE_CTX_set_default(context.get(), "ssl_server");
    const bool is_verified = X509_verify_cert(context.get()) == 1;
    out = is_verified ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  }
  // Not sk_X509_pop_free(): the certificates belong to `chain`.
  sk_X509_free(others);
  // The queue belongs to the thread: an old entry would be taken for the error of the next TLS
  // call.
  ERR_clear_error();
  return out;
}

void check_dates(Findings& out, const std::string& object, X509* certificate, WallTime now) {
  const WallTime from = time_of(X509_get0_notBefore(certificate));
  const WallTime until = time_of(X509_get0_notAfter(certificate));
  const std::string renew = "renew it; Weir loads new files without a restart";
  if (now >= until) {
    out.push_back(error(object, "its certificate expired on " + apiservice::rfc3339(until), renew));
  } else if (now < from) {
    out.push_back(error(object,
                        "its certificate is valid only from " + apiservice::rfc3339(from),
                        "wait, or correct the clocks"));
  } else if (now + kRenewalNotice >= until) {
    out.push_back(
        warning(object, "its certificate expires on " + apiservice::rfc3339(until), renew));
  }
}

void check_name(Findings& out,
                const std::string& object,
                X509* certificate,
                const ObjectName& service) {
  const std::string wanted = fmt::format("{}.{}.svc", service.name, service.name_space);
  // Go ignores the common name, so it is ignored here too.
  constexpr unsigned kAlternativeNamesAlone = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  if (X509_check_host(certificate, wanted.data(), wanted.size(), kAlternativeNamesAlone, nullptr) ==
      1)
    return;
  out.push_back(
      error(object,
            fmt::format("its certificate is for {}, not for {}", dns_names_of(certificate), wanted),
            fmt::format("issue a certificate with the DNS name {}", wanted)));
}

}  // namespace

Findings check_ca_bundle(const ApiServiceObject& api_service, WallTime now) {
  const std::string object = fmt::format("APIService {}", api_service_name());
  const std::string set =
      "set caBundle to the CA certificate that signed Weir's certificate, as PEM encoded in base64";
  if (!api_service.is_ca_base64) return {error(object, "caBundle is not valid base64", set)};
  if (api_service.ca_pem.empty()) {
    // The kube-apiserver refuses both together. check_api_service() warns about the missing
    // verification.
    if (api_service.skips_verify) return {};
    return {warning(object,
                    "caBundle is not set: the kube-apiserver trusts only its own root CAs",
                    "set caBundle, unless Weir's certificate is issued by a public CA")};
  }
  const auto parsed = CaBundle::parse(api_service.ca_pem);
  if (const auto* invalid = std::get_if<CaBundle::Invalid>(&parsed))
    return {error(object, "caBundle: " + invalid->why, set)};
  const auto& authorities = std::get<CaBundle>(parsed).certificates();
  // One valid certificate is enough: after a rotation the old CA stays until somebody removes it.
  const bool is_over = std::ranges::all_of(authorities, [&](const auto& authority) {
    return now >= time_of(X509_get0_notAfter(authority.get()));
  });
  if (is_over) return {error(object, "every certificate in caBundle has expired", set)};
  return {};
}

Findings check_chain(const std::string& object,
                     const Chain& chain,
                     const ApiServiceObject& api_service,
                     WallTime now) {
  if (chain.empty())
    return {error(object, "it sent no certificate", "check which process listens there")};
  Findings out;
  X509* leaf = chain.front().get();
  check_dates(out, object, leaf, now);
  if (api_service.service) check_name(out, object, leaf, *api_service.service);
  const auto parsed = CaBundle::parse(api_service.ca_pem);
  const auto* bundle = std::get_if<CaBundle>(&parsed);
  // Without a valid bundle check_ca_bundle() has the finding.
  const std::string why = bundle == nullptr ? "" : chain_error(chain, *bundle);
  if (!why.empty()) {
    out.push_back(error(object,
                        "its certificate has no valid chain to the APIService's caBundle: " + why,
                        "set caBundle to the CA that signed it; during a rotation keep the "
                        "old CA in it too"));
  }
  if (out.empty()) {
    std::vector<std::string_view> matched;
    if (api_service.service) matched.emplace_back("matches the Service");
    if (bundle != nullptr)
      matched.emplace_back(matched.empty() ? "matches the caBundle" : "the caBundle");
    if (matched.empty()) matched.emplace_back("is valid");
    out.push_back(ok(object,
                     fmt::format("its certificate {} until {}",
                                 fmt::join(matched, " and "),
                                 apiservice::rfc3339(time_of(X509_get0_notAfter(leaf))))));
  }
  return out;
}

}  // namespace weir::server::doctor
