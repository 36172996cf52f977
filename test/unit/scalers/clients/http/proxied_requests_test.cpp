#include "scalers/clients/http/client.hpp"
#include "scalers/clients/http/proxy.hpp"
#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::always;
using test::Connection;
using test::ok;
using test::once;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

using Site = test::HttpRig;

constexpr const char* kUser = "me-of-the-proxy";
constexpr const char* kPassword = "p:w of it";
constexpr std::string_view kLoginField =
    "Proxy-Authorization: Basic bWUtb2YtdGhlLXByb3h5OnA6dyBvZiBpdA==\r\n";

// A proxy that records requests and plays a response to each of them itself.
struct ProxyServer {
  explicit ProxyServer(std::string response = ok("{}"))
      : server({[this, response = std::move(response)](Connection& connection) {
          for (auto request = connection.read_request(); !request.empty();
               request = connection.read_request()) {
            server.record(std::move(request));
            connection.write(response);
          }
        }}) {}
  [[nodiscard]] std::string only_request() const {
    const auto requests = server.requests();
    REQUIRE(requests.size() == 1);
    return requests.front();
  }
  TcpServer server;
};

std::shared_ptr<const Proxy> proxy_at(std::uint16_t port, bool has_login = false) {
  Proxy out{"http", "127.0.0.1", port};
  if (has_login) out.login.emplace(Secret(kUser), Secret(kPassword));
  return std::make_shared<const Proxy>(std::move(out));
}

// To a server that only the proxy can resolve.
HttpRequest request_to(std::string_view scheme, std::shared_ptr<const Proxy> proxy) {
  HttpRequest out;
  out.url = {std::string(scheme), "server.test.invalid", 9090, "/api/v1/query"};
  out.query = "query=up";
  out.headers.push_back({"Authorization", Secret("Bearer of-the-server"), true});
  out.proxy = std::move(proxy);
  return out;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

TEST_CASE("over https the proxy gets the host and its own login alone") {
  ProxyServer proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  Site site;

  const auto reply = site.send(request_to("https", proxy_at(proxy.server.port(), true)));

  CHECK(shown(reply) == "unreachable: the proxy cannot connect to the server (HTTP 403)");
  const std::string request = proxy.only_request();
  CHECK_THAT(request,
             Catch::StartsWith("CONNECT server.test.invalid:9090 HTTP/1.1\r\n"
                               "Host: server.test.invalid:9090\r\n"));
  CHECK(has(request, kLoginField));
  CHECK_FALSE(has(request, "of-the-server"));
  CHECK_FALSE(has(request, "query"));
}

TEST_CASE("a login is only for its own proxy") {
  ProxyServer with_login;
  ProxyServer without;
  Site site;

  // One after the other, so that the same handle of libcurl serves both.
  const auto first = site.send(request_to("http", proxy_at(with_login.server.port(), true)));
  const auto second = site.send(request_to("http", proxy_at(without.server.port())));
  auto direct = site.request(without.server.port());
  const auto third = site.send(std::move(direct));

  REQUIRE(shown(first) == "a value");
  REQUIRE(shown(second) == "a value");
  REQUIRE(shown(third) == "a value");
  CHECK(without.server.requests().size() == 2);
  for (const std::string& request : without.server.requests())
    CHECK_FALSE(has(request, "Proxy-Authorization"));
  CHECK_THAT(without.server.requests().back(), Catch::StartsWith("GET /api/v1/query HTTP/1.1\r\n"));
}

TEST_CASE("a connection to a proxy is kept, for requests with the same login alone") {
  ProxyServer proxy;
  Site site;
  const auto with_login = proxy_at(proxy.server.port(), true);

  for (int i = 0; i < 3; ++i)
    REQUIRE(shown(site.send(request_to("http", with_login))) == "a value");
  const auto connections = proxy.server.connections();
  auto other = request_to("http", with_login);
  other.url.host = "other.test.invalid";
  const auto reply = site.send(std::move(other));
  REQUIRE(shown(reply) == "a value");

  CHECK(connections == 1);
  CHECK_THAT(proxy.server.requests().back(), Catch::StartsWith("GET http://other.test.invalid:"));
}

TEST_CASE("a proxy that wants a login, or another one, is an error of the login") {
  const std::string refusal =
      "HTTP/1.1 407 Proxy Authentication Required\r\n"
      "Proxy-Authenticate: Basic realm=\"of me-of-the-proxy\"\r\nContent-Length: 2\r\n\r\n{}";
  const std::string none =
      "refused: the proxy requires a login (HTTP 407); set HTTP_PROXY or HTTPS_PROXY to "
      "http://USER:PASSWORD@HOST:PORT";
  const std::string wrong =
      "refused: the proxy refuses the user or the password of HTTP_PROXY or HTTPS_PROXY (HTTP 407)";

  for (const std::string_view scheme : {"http", "https"}) {
    DYNAMIC_SECTION(scheme) {
      ProxyServer proxy(refusal);
      Site site;

      CHECK(shown(site.send(request_to(scheme, proxy_at(proxy.server.port())))) == none);
      CHECK(shown(site.send(request_to(scheme, proxy_at(proxy.server.port(), true)))) == wrong);
      CHECK(proxy.server.requests().size() == 2);
    }
  }
}

// libcurl reads it byte by byte without a look at anything else.
TEST_CASE("the page of a refusal is not read without end") {
  std::string flood =
      "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 999999999\r\n\r\n";
  flood.append(std::size_t{8} << 20, 'x');
  ProxyServer proxy(flood);
  Site site;

  const auto reply = site.send(request_to("https", proxy_at(proxy.server.port())));

  CHECK(shown(reply) ==
        "refused: the proxy requires a login (HTTP 407); set HTTP_PROXY or HTTPS_PROXY to "
        "http://USER:PASSWORD@HOST:PORT");
}

TEST_CASE("a proxy that makes no tunnel is an error that names the proxy") {
  struct Row {
    std::string_view name;
    std::string response;
    std::string_view error;
  };
  const std::string_view not_http =
      "unreachable: the proxy closed the connection, or its response is not HTTP";
  const Row rows[] = {
      {"502",
       "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nnope",
       "unreachable: the proxy cannot connect to the server (HTTP 502)"},
      {"a redirect",
       "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
       "unreachable: the proxy cannot connect to the server (HTTP 302)"},
      {"a body without end",
       "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
       "unreachable: the proxy cannot connect to the server (HTTP 403)"},
      {"no response", "", not_http},
      {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", not_http},
      {"a head of 100 KiB", "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'a'), not_http},
      {"HTTP of its own in the tunnel",
       "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
       "tls: TLS failed: wrong version number (SSL routines)"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TcpServer proxy({once(row.response)});
      Site site;

      CHECK(shown(site.send(request_to("https", proxy_at(proxy.port())))) == row.error);
    }
  }
}

TEST_CASE("a proxy that hangs is named, unless the server may be what hangs") {
  const auto hang = [](Connection& connection) { connection.wait_for_close(); };
  TcpServer silent({hang});
  Site site;

  CHECK(shown(site.send(request_to("https", proxy_at(silent.port())), 1s)) ==
        "timed_out: the proxy did not connect to the server in time");
  CHECK(shown(site.send(request_to("http", proxy_at(silent.port())), 1s)) ==
        "timed_out: it did not respond through the proxy");
}

TEST_CASE("a proxy that is unreachable opens the breaker for its own requests alone") {
  test::FullPort full;
  TcpServer server({always(ok("{}"))});
  Site site;
  const auto proxied = [&] {
    auto out = site.request(server.port());
    out.proxy = proxy_at(full.port());
    return out;
  };

  const auto first = site.send(proxied(), 1s);
  const auto direct = site.send(site.request(server.port()));
  const auto cached = site.send(proxied(), 30ms);

  CHECK(shown(first) == "timed_out: the proxy: it did not accept a connection in time");
  CHECK(shown(direct) == "a value");
  CHECK(shown(cached) == "unreachable: the proxy: it did not accept a connection in time");
}

TEST_CASE("an error hides the proxy and its login") {
  HttpRequest request = request_to("http", nullptr);
  Proxy proxy{"http", "proxy.test.invalid", 3128};
  proxy.login.emplace(Secret(kUser), Secret(kPassword));
  request.proxy = std::make_shared<const Proxy>(std::move(proxy));

  const auto hidden = redactions_of(request);

  for (const char* text : {"proxy.test.invalid:3128",
                           "proxy.test.invalid",
                           kUser,
                           kPassword,
                           "bWUtb2YtdGhlLXByb3h5OnA6dyBvZiBpdA==",
                           "server.test.invalid"}) {
    CHECK_THAT(hidden, Catch::VectorContains(std::string(text)));
  }
}

}  // namespace
}  // namespace weir::scalers::clients
