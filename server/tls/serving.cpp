#include "server/tls/serving.hpp"

#include "scalers/text/utf8.hpp"
#include "server/crypto/freed.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

namespace weir::server {
namespace {

// The DNS names of a certificate, in lower case.
std::vector<std::string> names_in(X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(names.get(), i);
    if (one->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(one->d.dNSName));
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(one->d.dNSName));
    out.push_back(scalers::lower_case(std::string(text, size)));
  }
  return out;
}

// "*.example" stands for one label in front of ".example".
bool covers(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.")) return pattern == name;
  const auto dot = name.find('.');
  return dot != name.npos && dot > 0 && name.substr(dot) == pattern.substr(1);
}

int choose_pair(SSL* connection, int* /*alert*/, void* contexts) {
  const char* asked = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (asked == nullptr) return SSL_TLSEXT_ERR_OK;
  SSL_CTX* found = static_cast<ServingContexts*>(contexts)->find(asked);
  if (found != nullptr) SSL_set_SSL_CTX(connection, found);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

ServingContexts::ServingContexts(const ServingPairs& pairs,
                                 const TlsSettings& settings,
                                 const ClientTrust& trust)
    : main_(make_server_context(pairs.main, trust, settings)) {
  for (const NamedPair& named : pairs.named) {
    Named& made = named_.emplace_back(Named{make_server_context(named.pair, trust, settings), {}});
    for (const std::string& name : named.names) made.names.push_back(scalers::lower_case(name));
    if (named.names.empty())
      made.names = names_in(SSL_CTX_get0_certificate(made.context.native_handle()));
  }
  if (named_.empty()) return;
  SSL_CTX_set_tlsext_servername_callback(main_.native_handle(), choose_pair);
  SSL_CTX_set_tlsext_servername_arg(main_.native_handle(), this);
}

SSL_CTX* ServingContexts::find(std::string_view name) {
  const std::string asked = scalers::lower_case(std::string(name));
  // A name that is written out comes before one that a * covers.
  for (const bool is_exact : {true, false}) {
    for (Named& named : named_) {
      const bool is_found = std::ranges::any_of(named.names, [&](const std::string& one) {
        return is_exact ? one == asked : covers(one, asked);
      });
      if (is_found) return named.context.native_handle();
    }
  }
  return nullptr;
}

void ServingContexts::offer(const ClientTrust& trust) {
  offer_authorities(main_, trust);
  for (Named& named : named_) offer_authorities(named.context, trust);
}

std::vector<std::string> ServingTls::files() const {
  std::vector<std::string> out{pairs_.main.certificate_file, pairs_.main.key_file};
  for (const NamedPair& named : pairs_.named) {
    out.push_back(named.pair.certificate_file);
    out.push_back(named.pair.key_file);
  }
  return out;
}

std::optional<std::string> ServingTls::reload() {
  try {
    contexts_ = std::make_shared<ServingContexts>(pairs_, settings_, trust_);
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
  return std::nullopt;
}

}  // namespace weir::server
