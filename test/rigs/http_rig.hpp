// An HTTP client on a loop of its own, and what scripted servers say to it.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/tcp_server.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::test {

struct HttpRig {
  scalers::clients::HttpRequest request(std::uint16_t port) const {
    scalers::clients::HttpRequest out;
    out.url = {"http", "127.0.0.1", port, "/api/v1/query"};
    return out;
  }
  Pending<scalers::Result<scalers::clients::HttpReply>> begin(
      scalers::clients::HttpRequest request,
      Duration budget = std::chrono::seconds{15}) {
    return start(loop, http.send(std::move(request), within(budget)));
  }
  scalers::Result<scalers::clients::HttpReply> send(scalers::clients::HttpRequest request,
                                                    Duration budget = std::chrono::seconds{15}) {
    return finish(loop, begin(std::move(request), budget));
  }

  Loop loop;
  scalers::clients::Resolver resolver{loop};
  scalers::clients::HttpClient http{loop, resolver};
};

inline std::string ok(std::string_view body) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(),
      body);
}

// Answers every request of a connection with those bytes.
inline TcpServer::Script always(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) {
    while (!connection.read_request().empty()) connection.write(bytes);
  };
}

// Answers one request with those bytes and closes the connection.
inline TcpServer::Script once(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) {
    connection.read_request();
    connection.write(bytes);
  };
}

}  // namespace weir::test
