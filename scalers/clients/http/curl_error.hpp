// What a failure of libcurl means. Pure.
#pragma once

#include "scalers/error.hpp"

#include <string_view>

namespace weir::scalers::clients {

struct CurlFailure {
  int code = 0;           // CURLcode
  std::string_view text;  // libcurl's own; may name the host
  long os_error = 0;      // errno of a failed connect
  long proxy_status = 0;  // of the proxy's response to CONNECT; 0: none
  bool has_proxy = false;
  bool has_proxy_login = false;
  bool is_forwarded = false;     // the proxy sends the request, without a tunnel
  bool is_tls_of_proxy = false;  // the handshake with the server has not begun
  bool is_accepted = false;      // TCP is connected
  bool is_in_handshake = false;  // TLS with the server, or with the proxy, has begun
  bool is_connected = false;     // the request was sent
};

// Names neither the host nor the proxy.
[[nodiscard]] Error error_of(const CurlFailure& failure);

// Of a 407 in the response to CONNECT or to a request, or a 401 in that to CONNECT.
[[nodiscard]] Error proxy_login_error(bool has_login, long status);

}  // namespace weir::scalers::clients
