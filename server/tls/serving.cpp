// Selects a serving pair by SNI, as Go's tls.Config does with NameToCertificate.
#include "server/tls/serving.hpp"

#include "scalers/text/utf8.hpp"
#include "server/crypto/c_deleter.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

namespace weir::server {
namespace {

// The DNS names of a certificate, in lower case.
std::vector<std::string> names_in(X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, CDeleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    // A server name is never an IP address (RFC 6066, section 3).
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
    out.push_back(scalers::lower_case(std::string(text, size)));
  }
  return out;
}

// A "*" matches exactly one label, the first one.
bool covers(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.")) return pattern == name;
  const auto dot = name.find('.');
  return dot != name.npos && dot > 0 && name.substr(dot) == pattern.substr(1);
}

int choose_pair(SSL* connection, int* /*alert*/, void* contexts) {
  const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  // Without a name, or with an unknown one, the default pair is served: no alert, as in Go.
  if (name == nullptr) return SSL_TLSEXT_ERR_OK;
  SSL_CTX* context = static_cast<ServingContexts*>(contexts)->find(name);
  // SSL_set_SSL_CTX() takes over the certificate and only a part of the settings, so all contexts
  // have the same settings.
  if (context != nullptr) SSL_set_SSL_CTX(connection, context);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

ServingContexts::ServingContexts(const ServingPairs& pairs,
                                 const TlsSettings& settings,
                                 const ClientTrust& trust)
    : main_(make_server_context(pairs.main, trust, settings)) {
  for (const NamedPair& pair : pairs.named) {
    Named& entry = named_.emplace_back(Named{make_server_context(pair.pair, trust, settings), {}});
    for (const std::string& name : pair.names) entry.names.push_back(scalers::lower_case(name));
    if (pair.names.empty())
      entry.names = names_in(SSL_CTX_get0_certificate(entry.context.native_handle()));
  }
  if (named_.empty()) return;
  SSL_CTX_set_tlsext_servername_callback(main_.native_handle(), choose_pair);
  // `this` is valid during each handshake: contexts never move, and a session shares their
  // ownership.
  SSL_CTX_set_tlsext_servername_arg(main_.native_handle(), this);
}

SSL_CTX* ServingContexts::find(std::string_view name) {
  const std::string wanted = scalers::lower_case(std::string(name));
  // An exact name takes precedence over a wildcard.
  for (const bool is_exact : {true, false}) {
    for (Named& named : named_) {
      const bool is_match = std::ranges::any_of(named.names, [&](const std::string& pattern) {
        return is_exact ? pattern == wanted : covers(pattern, wanted);
      });
      if (is_match) return named.context.native_handle();
    }
  }
  return nullptr;
}

void ServingContexts::set_client_ca_names(const ClientTrust& trust) {
  server::set_client_ca_names(main_, trust);
  for (Named& named : named_) server::set_client_ca_names(named.context, trust);
}

std::vector<std::string> ServingTls::files() const {
  std::vector<std::string> out{pairs_.main.certificate_file, pairs_.main.key_file};
  for (const NamedPair& named : pairs_.named) {
    out.push_back(named.pair.certificate_file);
    out.push_back(named.pair.key_file);
  }
  return out;
}

// Builds all contexts before replacing any, so that a bad file changes nothing.
std::optional<std::string> ServingTls::reload() {
  try {
    // Sessions keep the contexts that their handshake began with.
    contexts_ = std::make_shared<ServingContexts>(pairs_, settings_, trust_);
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
  return std::nullopt;
}

}  // namespace weir::server
