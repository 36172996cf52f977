// Idle connections: which are used again and when they are closed; and connects to several
// addresses.
#include "scalers/clients/http/connections.hpp"

#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"
#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::Connection;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

void hold(Connection& connection) { connection.wait_for_close(); }

struct Site {
  using LeaseResult = Result<std::unique_ptr<HttpConnections::Lease>>;

  explicit Site(std::uint16_t port) : origin{{"127.0.0.1", port, false, {}}, nullptr} {}
  LeaseResult connect(Addresses addresses = {"127.0.0.1"}, Duration budget = 15s) {
    return test::run(loop,
                     HttpConnections::connect(connections,
                                              origin,
                                              std::move(addresses),
                                              counts,
                                              test::within(budget)));
  }

  Loop loop;
  HttpOrigin origin;
  std::shared_ptr<HttpConnections> connections = std::make_shared<HttpConnections>(loop);
  HttpConnections::Counts counts = std::make_shared<ConnectionCounts>();
};

TEST_CASE("the connection that became idle last is used next, by one request at a time") {
  TcpServer server({hold});
  Site site(server.port());
  auto first = site.connect();
  auto second = site.connect();
  REQUIRE(shown(first) == "a value");
  REQUIRE(shown(second) == "a value");
  const Stream* newest = (*second)->stream().get();

  (*first)->keep(SteadyTime{});
  (*second)->keep(SteadyTime{});
  const auto reused = site.connections->take(site.origin, SteadyTime{});
  const auto other = site.connections->take(site.origin, SteadyTime{});
  const auto none = site.connections->take(site.origin, SteadyTime{});

  REQUIRE(reused);
  CHECK(reused->stream().get() == newest);
  CHECK(other);
  CHECK_FALSE(none);
}

TEST_CASE("a connection serves only its own origin") {
  TcpServer server({hold});
  Site site(server.port());
  auto lease = site.connect();
  REQUIRE(shown(lease) == "a value");
  (*lease)->keep(SteadyTime{});
  HttpOrigin by_name = site.origin;
  by_name.target.host = "localhost";
  HttpOrigin with_files = site.origin;
  with_files.target.tls.ca.path = "/ca.crt";

  CHECK_FALSE(site.connections->take(by_name, SteadyTime{}));
  CHECK_FALSE(site.connections->take(with_files, SteadyTime{}));
  CHECK(site.connections->take(site.origin, SteadyTime{}));
}

TEST_CASE("a connection that was unused for more than 110 s ends") {
  TcpServer server({hold});
  Site site(server.port());
  const SteadyTime start = SteadyTime{} + 1h;
  auto lease = site.connect();
  REQUIRE(shown(lease) == "a value");
  (*lease)->keep(start);

  auto used = site.connections->take(site.origin, start + 110s);
  REQUIRE(used);
  used->keep(start + 110s);
  const auto late = site.connections->take(site.origin, start + 221s);

  CHECK_FALSE(late);
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"idle", 1}});
}

TEST_CASE("above 64 idle connections the oldest is closed") {
  TcpServer server({hold});
  Site site(server.port());
  std::vector<std::unique_ptr<HttpConnections::Lease>> leases;
  for (int i = 0; i < 65; ++i) {
    auto lease = site.connect();
    REQUIRE(shown(lease) == "a value");
    leases.push_back(std::move(*lease));
  }

  for (const auto& lease : leases) lease->keep(SteadyTime{});

  CHECK(site.counts->opened == 65);
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"idle", 1}});
}

TEST_CASE("a lease that is not returned closes its connection, counted by the reason") {
  TcpServer server({hold});
  Site site(server.port());
  auto lease = site.connect();
  auto dropped = site.connect();
  REQUIRE(shown(lease) == "a value");
  REQUIRE(shown(dropped) == "a value");

  (*lease)->end("too_large");
  dropped->reset();

  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"closed", 1}, {"too_large", 1}});
  CHECK_FALSE(site.connections->take(site.origin, SteadyTime{}));
}

TEST_CASE("after close() no connection is stored, opened or used") {
  TcpServer server({hold});
  Site site(server.port());
  auto idle = site.connect();
  auto leased = site.connect();
  REQUIRE(shown(idle) == "a value");
  REQUIRE(shown(leased) == "a value");
  (*idle)->keep(SteadyTime{});

  site.connections->close();
  (*leased)->keep(SteadyTime{});
  const auto later = site.connect();

  CHECK_FALSE(site.connections->take(site.origin, SteadyTime{}));
  CHECK(shown(later) == "unreachable: the request was canceled");
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"closed", 2}});
}

TEST_CASE("a silent address delays the next address briefly") {
  TcpServer server({hold});
  const test::FullPort silent(1, server.port());
  Site site(server.port());
  const auto begun = std::chrono::steady_clock::now();

  const auto lease = site.connect({"127.0.0.2", "127.0.0.1"});
  const auto took = std::chrono::steady_clock::now() - begun;

  CHECK(shown(lease) == "a value");
  CHECK(took >= 240ms);
  CHECK(took < 5s);
}

TEST_CASE("an address that refuses does not delay the next address") {
  TcpServer server({hold});
  const test::LoopbackSocket refusing(1, server.port());
  Site site(server.port());

  const auto lease = site.connect({"127.0.0.2", "127.0.0.1"}, 200ms);

  CHECK(shown(lease) == "a value");
}

TEST_CASE("when no address accepts, the last failure is returned") {
  const test::FullPort silent;
  const test::LoopbackSocket refusing(1, silent.port());
  Site site(silent.port());

  const auto failed = site.connect({"127.0.0.1", "127.0.0.2"}, 400ms);
  const auto none = site.connect({}, 400ms);

  CHECK(shown(failed) == "timed_out: it did not accept a connection in time");
  CHECK(shown(none) == "unreachable: it has no addresses to connect to");
  CHECK(site.counts->failed == ConnectionCounts::Reasons{{"timed_out", 1}, {"unreachable", 1}});
}

}  // namespace
}  // namespace weir::scalers::clients
