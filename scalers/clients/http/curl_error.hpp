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
  bool is_accepted = false;      // TCP is connected
  bool is_in_handshake = false;  // TLS with the server, or with the proxy, has begun
  bool is_connected = false;     // the request was sent
};

// Names neither the host nor the proxy.
[[nodiscard]] Error error_of(const CurlFailure& failure);

// A proxy that refuses its login, in a response to CONNECT or to a request.
[[nodiscard]] Error proxy_login_error();

}  // namespace weir::scalers::clients
