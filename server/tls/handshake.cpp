// The few failures that have a usual cause, because OpenSSL names the alert and not what to check.
#include "server/tls/handshake.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace weir::server {
namespace {

// What the reason of an OpenSSL error means for the operator; nullptr: nothing more than it says.
const char* meaning_of(int reason) {
  switch (reason) {
    // Go's clients, the kube-apiserver among them, send bad_certificate for every such problem.
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the peer does not accept the serving certificate: its CA, name or time; compare the "
             "APIService's caBundle";
    case SSL_R_HTTP_REQUEST: return "the peer speaks HTTP without TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL: return "the peer's TLS version is too old";
    case SSL_R_NO_SHARED_CIPHER: return "the peer offers no cipher suite that is allowed here";
    default: return nullptr;
  }
}

}  // namespace

std::string handshake_reason(unsigned long problem, bool is_closed_here) {
  if (problem == 0) {
    return is_closed_here ? "closed by Weir: no complete handshake in time, or to make room for "
                            "another connection"
                          : "the peer closed the connection";
  }
  if (ERR_GET_REASON(problem) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return "the peer closed the connection";
  const char* text = ERR_reason_error_string(problem);
  const std::string out = text == nullptr ? fmt::format("error {:x}", problem) : text;
  const char* meaning = meaning_of(ERR_GET_REASON(problem));
  return meaning == nullptr ? out : fmt::format("{} ({})", meaning, out);
}

}  // namespace weir::server
