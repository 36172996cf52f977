// Idle connections: which are used again, and when they are ended.
#include "scalers/clients/http/curl_sockets.hpp"

#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::Connection;
using test::TcpServer;
using namespace std::chrono_literals;

void hold(Connection& connection) { connection.wait_for_close(); }

// Opens connections as libcurl does.
struct Site {
  explicit Site(std::uint16_t server_port) : port(server_port) {
    origin = {"http", "prom", port, nullptr, nullptr, false};
  }
  ~Site() {
    for (const auto& socket : opened) sockets->close(socket->fd);
  }
  // A connection that has served a request until `since`.
  CurlSockets::SocketPtr idle(SteadyTime since, std::string address = "10.0.0.1") {
    auto socket = sockets->open(AF_INET, SOCK_STREAM, 0, nullptr);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(port);
    static_cast<void>(
        ::connect(socket->fd, reinterpret_cast<const sockaddr*>(&server), sizeof server));
    pollfd connected{socket->fd, POLLOUT, 0};
    REQUIRE(::poll(&connected, 1, 10'000) == 1);
    socket->origin = origin;
    socket->address = std::move(address);
    socket->counts = counts;
    CurlSockets::acquire(*socket);
    sockets->release(*socket, "", since);
    opened.push_back(socket);
    return socket;
  }

  Loop loop;
  std::uint16_t port;
  HttpOrigin origin;
  std::shared_ptr<CurlSockets> sockets = std::make_shared<CurlSockets>(loop, [](int, int) {});
  std::shared_ptr<ConnectionCounts> counts = std::make_shared<ConnectionCounts>();
  std::vector<CurlSockets::SocketPtr> opened;
};

TEST_CASE("the connection that became idle last is used next, by one request at a time") {
  TcpServer server({hold});
  Site site(server.port());
  const auto first = site.idle(SteadyTime{2ms}, "10.0.0.1");
  const auto second = site.idle(SteadyTime{1ms}, "10.0.0.2");

  CHECK(site.sockets->usable_address(site.origin, SteadyTime{}) == "10.0.0.1");
  CurlSockets::acquire(*first);
  CHECK(site.sockets->usable_address(site.origin, SteadyTime{}) == "10.0.0.2");
  CurlSockets::acquire(*second);
  CHECK(site.sockets->usable_address(site.origin, SteadyTime{}).empty());
}

TEST_CASE("requests share a connection of HTTP/2") {
  TcpServer server({hold});
  Site site(server.port());
  const auto socket = site.idle(SteadyTime{});
  socket->is_multiplexed = true;

  CurlSockets::acquire(*socket);

  CHECK(site.sockets->usable_address(site.origin, SteadyTime{}) == "10.0.0.1");
}

TEST_CASE("a connection serves only its own origin") {
  TcpServer server({hold});
  Site site(server.port());
  const auto socket = site.idle(SteadyTime{});
  auto by_name = site.origin;
  by_name.host = "prom.ml";
  auto with_tls = site.origin;
  with_tls.context = *make_tls_context({});
  auto with_proxy = site.origin;
  with_proxy.proxy = std::make_shared<Proxy>();
  auto with_http2 = site.origin;
  with_http2.is_http2 = true;

  CHECK(site.sockets->usable_address(by_name, SteadyTime{}).empty());
  CHECK(site.sockets->usable_address(with_tls, SteadyTime{}).empty());
  CHECK(site.sockets->usable_address(with_proxy, SteadyTime{}).empty());
  CHECK(site.sockets->usable_address(with_http2, SteadyTime{}).empty());
  CHECK(site.sockets->usable_address(site.origin, SteadyTime{}) == "10.0.0.1");
}

TEST_CASE("equal proxies are one, and other logins are other proxies") {
  HttpOrigin a{"http", "prom", 80, nullptr, nullptr, false};
  HttpOrigin b = a;
  const Proxy proxy{"http", "proxy", 3128, std::pair(Secret("me"), Secret("a"))};
  Proxy other = proxy;
  other.login->second = Secret("b");

  a.proxy = std::make_shared<Proxy>(proxy);
  b.proxy = std::make_shared<Proxy>(proxy);
  CHECK(a == b);
  b.proxy = std::make_shared<Proxy>(other);
  CHECK_FALSE(a == b);
}

TEST_CASE("a connection that was unused for more than 110 s ends") {
  TcpServer server({hold});
  Site site(server.port());
  const SteadyTime start = SteadyTime{} + 1h;
  const auto socket = site.idle(start);

  const auto in_time = site.sockets->usable_address(site.origin, start + 110s);
  const auto late = site.sockets->usable_address(site.origin, start + 112s);

  CHECK(in_time == "10.0.0.1");
  CHECK(late.empty());
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"idle", 1}});
}

TEST_CASE("above 512 idle connections the oldest ends") {
  TcpServer server({hold}, TcpServer::Order::at_once);
  Site site(server.port());
  const auto oldest = site.idle(SteadyTime{});
  for (int i = 1; i <= 512; ++i) site.idle(SteadyTime{std::chrono::seconds{i}});

  CHECK(oldest->is_ended);
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"idle", 1}});
}

TEST_CASE("a connection that is closed in use is counted by the outcome of its request") {
  TcpServer server({hold});
  Site site(server.port());
  const auto socket = site.idle(SteadyTime{});
  CurlSockets::acquire(*socket);

  site.sockets->close(socket->fd);
  const auto before = site.counts->closed;
  site.sockets->release(*socket, "too_large", SteadyTime{});
  site.opened.clear();

  CHECK(before.empty());
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"too_large", 1}});
}

}  // namespace
}  // namespace weir::scalers::clients
