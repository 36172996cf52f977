// libcurl's codes are coarse and its texts name hosts, so that the reason is taken out of the texts
// of 7.88. An unknown text gives a general reason, never the text itself.
#include "scalers/clients/http/curl_error.hpp"

#include "scalers/clients/http/response.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <string>
#include <system_error>

namespace weir::scalers::clients {
namespace {

constexpr long kUnauthorized = 401;
constexpr long kProxyLoginRequired = 407;

// What follows `prefix` in `text`, up to `end`; empty: it does not.
std::string_view after(std::string_view text, std::string_view prefix, std::string_view end = {}) {
  const auto at = text.find(prefix);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + prefix.size());
  return end.empty() ? rest : rest.substr(0, rest.find(end));
}

// "error:0A00010B:SSL routines::wrong version number": the reason, as OpenSSL gives it.
std::string openssl_reason(std::string_view text) {
  const std::string_view reason = after(text, "::", ", errno");
  if (reason.empty()) return {};
  if (reason == "unexpected eof while reading") return "stream truncated";
  return fmt::format("{} (SSL routines)", reason);
}

std::string lost_reason(std::string_view text) {
  for (const std::string_view prefix : {"Recv failure: ", "Send failure: "}) {
    if (const auto reason = after(text, prefix); !reason.empty()) return std::string(reason);
  }
  if (auto reason = openssl_reason(text); !reason.empty()) return reason;
  for (const std::string_view prefix : {"SSL_read: ", "SSL_write: "}) {
    const auto reason = after(text, prefix, ", errno");
    if (!reason.empty() && !reason.starts_with("SSL_ERROR")) return std::string(reason);
  }
  return "End of file";
}

Error lost(std::string_view reason) {
  return {Errc::unreachable, fmt::format("the connection was lost ({})", reason), ""};
}

std::string tls_reason(std::string_view text) {
  if (const auto reason = after(text, "SSL certificate problem: "); !reason.empty())
    return std::string(reason);
  if (auto reason = openssl_reason(text); !reason.empty()) return reason;
  if (text.find("subject name") != std::string_view::npos) return "hostname mismatch";
  const auto reason = after(text, "SSL_connect: ", " in connection to");
  if (!reason.empty() && !reason.starts_with("SSL_ERROR")) return std::string(reason);
  return "stream truncated";
}

Error tls_error(std::string_view text) {
  return {Errc::tls, fmt::format("TLS failed: {}", tls_reason(text)), ""};
}

Error connect_error(const CurlFailure& failure) {
  const auto reason = std::generic_category().message(static_cast<int>(failure.os_error));
  const Error error{Errc::unreachable, fmt::format("cannot connect ({})", reason), ""};
  return failure.has_proxy ? error.within("the proxy") : error;
}

Error proxy_error(const CurlFailure& failure) {
  // tinyproxy has 401 for a wrong login.
  if (failure.proxy_status == kProxyLoginRequired || failure.proxy_status == kUnauthorized)
    return proxy_login_error(failure.has_proxy_login, failure.proxy_status);
  if (failure.proxy_status == 0)
    return {Errc::unreachable, "the proxy cannot connect to the server", ""};
  // libcurl takes it for the response itself, as Go does.
  if (failure.proxy_status / 100 == 1) {
    return {Errc::unreachable,
            fmt::format("the proxy sent an interim response to CONNECT (HTTP {}), which Weir does "
                        "not support; configure the proxy to send none",
                        failure.proxy_status),
            ""};
  }
  return {Errc::unreachable,
          fmt::format("the proxy cannot connect to the server (HTTP {})", failure.proxy_status),
          ""};
}

// The connection ended before the proxy had responded to CONNECT.
Error proxy_lost() {
  return {Errc::unreachable, "the proxy closed the connection, or its response is not HTTP", ""};
}

Error timeout_error(const CurlFailure& failure) {
  if (failure.is_connected) {
    // Either of the two may be silent.
    return {Errc::timed_out,
            failure.is_forwarded ? "it did not respond through the proxy" : "it did not respond",
            ""};
  }
  if (failure.is_in_handshake && !failure.is_tls_of_proxy)
    return {Errc::timed_out, "it did not finish the TLS handshake in time", ""};
  if (failure.has_proxy && failure.is_accepted)
    return {Errc::timed_out, "the proxy did not connect to the server in time", ""};
  const Error error{Errc::timed_out, "it did not accept a connection in time", ""};
  return failure.has_proxy ? error.within("the proxy") : error;
}

Error protocol_error(std::string_view text) {
  if (text.find("response code") != std::string_view::npos) return not_http("bad status");
  if (text.find("Content-Length") != std::string_view::npos) return not_http("bad Content-Length");
  if (text.find("chunked-encoding") != std::string_view::npos) return not_http("bad chunk");
  if (text.find("eader") != std::string_view::npos) return not_http("bad field");
  return not_http("bad version");
}

bool is_failure_of_tls(int code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return true;
    default: return false;
  }
}

}  // namespace

Error error_of(const CurlFailure& failure) {
  if (is_failure_of_tls(failure.code)) {
    const Error error = tls_error(failure.text);
    return failure.is_tls_of_proxy ? error.within("the proxy") : error;
  }
  // Before the request is sent, only a proxy has responded.
  const bool is_of_proxy = failure.has_proxy && !failure.is_connected;
  switch (failure.code) {
    case CURLE_OPERATION_TIMEDOUT: return timeout_error(failure);
    case CURLE_COULDNT_CONNECT:
      return is_of_proxy && failure.os_error == 0 ? proxy_error(failure) : connect_error(failure);
    case CURLE_PROXY: return proxy_error(failure);
    case CURLE_RECV_ERROR:
      if (is_of_proxy) {
        const bool has_refused = failure.proxy_status != 0 && failure.proxy_status / 100 != 2;
        return has_refused ? proxy_error(failure) : proxy_lost();
      }
      if (failure.text.find("chunked-encoding") != std::string_view::npos)
        return protocol_error(failure.text);
      return lost(lost_reason(failure.text));
    case CURLE_SEND_ERROR:
      if (is_of_proxy) return proxy_lost();
      return lost(lost_reason(failure.text));
    case CURLE_GOT_NOTHING:
    case CURLE_ABORTED_BY_CALLBACK: return lost(lost_reason(failure.text));
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return lost("HTTP/2 stream error");
    case CURLE_PARTIAL_FILE: return {Errc::bad_reply, "the response is incomplete", ""};
    case CURLE_BAD_FUNCTION_ARGUMENT:
      // Of a continued line without a line before it.
      return not_http("bad field");
    case CURLE_OUT_OF_MEMORY:
      // Of a line over 100 KiB.
      return not_http("header limit exceeded");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return protocol_error(failure.text);
    default:
      return {Errc::unreachable,
              fmt::format("the request failed ({})",
                          curl_easy_strerror(static_cast<CURLcode>(failure.code))),
              ""};
  }
}

Error proxy_login_error(bool has_login, long status) {
  return {Errc::refused,
          has_login
              ? fmt::format("the proxy refuses the user or the password of HTTP_PROXY or "
                            "HTTPS_PROXY (HTTP {})",
                            status)
              : fmt::format("the proxy requires a login (HTTP {}); set HTTP_PROXY or HTTPS_PROXY "
                            "to http://USER:PASSWORD@HOST:PORT",
                            status),
          ""};
}

}  // namespace weir::scalers::clients
