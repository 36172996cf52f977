// Requests through a forward proxy, and what the environment must not change.
#include "scalers/clients/http/proxy.hpp"

#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::clients {
namespace {

using test::always;
using test::Connection;
using test::ok;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;
using namespace std::string_literals;

struct Site : test::HttpRig {
  // To a server whose name only the proxy knows.
  static HttpRequest through(std::uint16_t proxy_port, std::string scheme = "http") {
    HttpRequest out;
    out.url = {std::move(scheme), "prom.invalid", 9090, "/api/v1/query"};
    out.query = "query=up";
    out.headers.push_back({"Authorization", Secret("Bearer t0ken"), true});
    out.proxy = std::make_shared<Proxy>(Proxy{"http", "127.0.0.1", proxy_port, std::nullopt});
    return out;
  }
};

TcpServer::Script recorded(TcpServer*& server, std::string reply) {
  return [&server, reply = std::move(reply)](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty();
         request = connection.read_request()) {
      server->record(std::move(request));
      connection.write(reply);
    }
  };
}

struct Recorder {
  explicit Recorder(std::string reply) : server({recorded(self, std::move(reply))}) {}
  TcpServer* self = &server;
  TcpServer server;
};

TEST_CASE("a plain request has the whole url for the proxy, which resolves the name") {
  Recorder proxy(ok("{}"));
  Site site;

  const auto first = site.send(Site::through(proxy.server.port()));
  const auto second = site.send(Site::through(proxy.server.port()));

  REQUIRE(shown(first) == "a value");
  REQUIRE(shown(second) == "a value");
  CHECK(proxy.server.connections() == 1);
  CHECK(proxy.server.requests().front() ==
        "GET http://prom.invalid:9090/api/v1/query?query=up HTTP/1.1\r\n"
        "Host: prom.invalid:9090\r\n"
        "User-Agent: weir/" WEIR_VERSION
        "\r\n"
        "Accept: */*\r\n"
        "Accept-Encoding: identity\r\n"
        "Authorization: Bearer t0ken\r\n\r\n");
}

TEST_CASE("the login of a proxy is sent to the proxy") {
  Recorder proxy(ok("{}"));
  Site site;
  auto request = Site::through(proxy.server.port());
  request.proxy = std::make_shared<Proxy>(
      Proxy{"http", "127.0.0.1", proxy.server.port(), std::pair(Secret("me"), Secret("p:w"))});

  const auto reply = site.send(std::move(request));
  const auto without = site.send(Site::through(proxy.server.port()));

  CHECK(shown(reply) == "a value");
  CHECK(shown(without) == "a value");
  const auto requests = proxy.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].find("\r\nProxy-Authorization: Basic bWU6cDp3\r\n") != std::string::npos);
  CHECK(requests[1].find("Proxy-Authorization") == std::string::npos);
}

TEST_CASE("the name of a proxy is resolved by the client's resolver") {
  Recorder proxy(ok("{}"));
  Site site;
  auto request = Site::through(proxy.server.port());
  request.proxy =
      std::make_shared<Proxy>(Proxy{"http", "loopback.test", proxy.server.port(), std::nullopt});

  const auto reply = site.send(request);
  request.proxy =
      std::make_shared<Proxy>(Proxy{"http", "proxy.invalid", proxy.server.port(), std::nullopt});
  const auto unknown = site.send(request);

  CHECK(shown(reply) == "a value");
  CHECK(shown(unknown).starts_with("unreachable: the proxy: its host name does not resolve ("));
}

struct Failure {
  std::string_view name;
  std::string reply;  // to CONNECT; empty: none
  std::string message;
};

TEST_CASE("a proxy that does not open a tunnel is named as the cause") {
  const Failure rows[] = {
      {"it wants a login",
       "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
       "Content-Length: 0\r\n\r\n",
       "refused: the proxy requires a login (HTTP 407); set HTTP_PROXY or HTTPS_PROXY to "
       "http://USER:PASSWORD@HOST:PORT"},
      {"it cannot reach the server",
       "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno",
       "unreachable: the proxy cannot connect to the server (HTTP 503)"},
      {"it speaks another protocol",
       "SSH-2.0-OpenSSH\r\n\r\n",
       "unreachable: the proxy closed the connection, or its response is not HTTP"},
      {"it hangs", "", "timed_out: the proxy did not connect to the server in time"},
  };

  for (const Failure& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TcpServer proxy({[&](Connection& connection) {
        proxy.record(connection.read_request());
        connection.write(row.reply);
        if (row.reply.empty()) connection.wait_for_close();
      }});
      Site site;

      const auto reply = site.send(Site::through(proxy.port(), "https"), 1s);

      CHECK(shown(reply) == row.message);
      REQUIRE(proxy.requests().size() == 1);
      CHECK(proxy.requests().front() ==
            "CONNECT prom.invalid:9090 HTTP/1.1\r\nHost: prom.invalid:9090\r\n"
            "User-Agent: weir/" WEIR_VERSION "\r\nProxy-Connection: Keep-Alive\r\n\r\n");
    }
  }
}

TEST_CASE("a proxy that refuses the login of a plain request is named as the cause") {
  Recorder proxy("HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n");
  Site site;

  const auto reply = site.send(Site::through(proxy.server.port()));

  CHECK(shown(reply) ==
        "refused: the proxy requires a login (HTTP 407); set HTTP_PROXY or HTTPS_PROXY to "
        "http://USER:PASSWORD@HOST:PORT");
}

TEST_CASE("a proxy that cannot be reached is named as the cause") {
  const test::LoopbackSocket nobody_listens;
  const test::FullPort silent;
  Site site;

  const auto refused = site.send(Site::through(nobody_listens.port()));
  const auto late = site.send(Site::through(silent.port(), "https"), 1s);

  CHECK(shown(refused) == "unreachable: the proxy: cannot connect (Connection refused)");
  CHECK(shown(late) == "timed_out: the proxy: it did not accept a connection in time");
}

TEST_CASE("a SOCKS5 proxy gets the name of the server, and no offer of GSS-API") {
  TcpServer proxy({[&](Connection& connection) {
    if (!connection.read_until("\x05\x01\x00"s)) return;
    connection.write("\x05\x00"s);
    if (!connection.read_until("\x05\x01\x00\x03\x0cprom.invalid\x23\x82"s)) return;
    connection.write("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s);
    if (!connection.read_until("\r\n\r\n")) return;
    connection.write(ok("{}"));
    connection.wait_for_close();
  }});
  Site site;
  auto request = Site::through(proxy.port());
  request.proxy = std::make_shared<Proxy>(Proxy{"socks5", "127.0.0.1", proxy.port(), std::nullopt});

  const auto reply = site.send(std::move(request));

  CHECK(shown(reply) == "a value");
}

// The variables that libcurl reads of its own accord.
struct Environment {
  Environment(std::uint16_t proxy_port, const char* exceptions) {
    const auto proxy = fmt::format("http://127.0.0.1:{}", proxy_port);
    for (const char* name : kProxies) ::setenv(name, proxy.c_str(), 1);
    for (const char* name : kExceptions) ::setenv(name, exceptions, 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const char* name : kProxies) ::unsetenv(name);
    for (const char* name : kExceptions) ::unsetenv(name);
  }
  static constexpr const char* kProxies[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
  static constexpr const char* kExceptions[] = {"no_proxy", "NO_PROXY"};
};

TEST_CASE("without a proxy the environment is not asked for one") {
  TcpServer server({always(ok("{}"))});
  TcpServer proxy({always(ok("proxy"))});
  const Environment environment(proxy.port(), "");
  Site site;

  const auto reply = site.send(site.request(server.port()));

  REQUIRE(shown(reply) == "a value");
  CHECK(reply->body == "{}");
  CHECK(proxy.connections() == 0);
}

TEST_CASE("with a proxy the environment is not asked for exceptions") {
  Recorder proxy(ok("{}"));
  const Environment environment(1, "*");
  Site site;

  const auto reply = site.send(Site::through(proxy.server.port()));

  CHECK(shown(reply) == "a value");
}

}  // namespace
}  // namespace weir::scalers::clients
