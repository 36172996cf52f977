// The connection of a link: opened on demand, shared, lost, opened again, and paused after a
// failure. The client of these tests sends "hello" first and is ready at "welcome".
#include "scalers/clients/net/link.hpp"

#include "scalers/clients/net/resolver.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"
#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::clients {
namespace {

using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

class Greeting final : public Machine {
 public:
  void on_connected(std::string& out) override { out += "hello\r\n\r\n"; }
  std::optional<Error> receive(std::string_view bytes, std::string& /*out*/) override {
    if (bytes == "go away") return Error{Errc::refused, "the credentials are refused", ""};
    is_ready_ = bytes == "welcome";
    return std::nullopt;
  }
  [[nodiscard]] bool is_ready() const override { return is_ready_; }
  void on_disconnected(const Error& /*why*/) override {}

 private:
  bool is_ready_ = false;
};

struct Site {
  explicit Site(std::uint16_t port) : target{"127.0.0.1", port, false, {}} {}

  test::Pending<Result<std::shared_ptr<Link>>> begin(Duration budget = 15s) {
    return test::start(loop, connection.link(test::within(budget)));
  }
  // "up", or the error.
  std::string link(Duration budget = 15s) {
    const auto link = test::finish(loop, begin(budget));
    if (link) last = *link;
    return link ? "up" : shown(link.error());
  }

  Loop loop;
  Resolver resolver{loop};
  StreamTarget target;
  std::size_t fingerprint = 1;
  std::shared_ptr<Link> last;
  Link::Counts counts = std::make_shared<ConnectionCounts>();
  Connection connection{
      loop,
      resolver,
      target,
      [] { return Result<std::unique_ptr<Machine>>(std::make_unique<Greeting>()); },
      [this] { return fingerprint; },
      counts};
};

void welcome(test::Connection& connection) {
  connection.read_request();
  connection.write("welcome");
  connection.wait_for_close();
}

void refuse(test::Connection& connection) {
  connection.read_request();
  connection.write("go away");
}

void say_nothing(test::Connection& connection) { connection.wait_for_close(); }

TEST_CASE("a connection is opened once and shared by all queries") {
  TcpServer server({welcome});
  Site site(server.port());
  auto first = site.begin();
  auto second = site.begin();

  const auto one = test::finish(site.loop, std::move(first));
  const auto other = test::finish(site.loop, std::move(second));

  REQUIRE(one.has_value());
  REQUIRE(other.has_value());
  CHECK(*one == *other);
  CHECK(site.link() == "up");
  CHECK(server.connections() == 1);
}

TEST_CASE("a lost connection is opened again by the next query") {
  TcpServer server({[](test::Connection& connection) {
                      connection.read_request();
                      connection.write("welcome");
                    },
                    welcome});
  Site site(server.port());
  REQUIRE(site.link() == "up");
  const auto lost = site.last;
  while (!lost->failure()) site.loop.run_one();

  CHECK(site.link() == "up");

  CHECK(site.last != lost);
  CHECK(server.connections() == 2);
  CHECK(site.counts->opened == 2);
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"unreachable", 1}});
}

TEST_CASE("a connection that Weir closes is counted by the reason") {
  TcpServer server({welcome});
  Site site(server.port());
  REQUIRE(site.link() == "up");

  site.connection.close(ConnectionCounts::kIdle);

  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"idle", 1}});
  CHECK(site.counts->failed.empty());
}

TEST_CASE("after a failed connect its error is returned without an attempt") {
  const test::LoopbackSocket nobody;  // bound, and not listening
  Site site(nobody.port());

  CHECK(site.link() == "unreachable: cannot connect (Connection refused)");
  CHECK(site.link() == "unreachable: cannot connect (Connection refused)");

  CHECK(site.counts->opened == 0);
  CHECK(site.counts->failed == ConnectionCounts::Reasons{{"unreachable", 1}});
  CHECK(site.connection.is_breaker_open());
}

TEST_CASE("rejected credentials are sent again only after a change") {
  TcpServer server({refuse, welcome});
  Site site(server.port());
  REQUIRE(site.link() == "refused: the credentials are refused");
  REQUIRE(site.link() == "refused: the credentials are refused");
  REQUIRE(server.connections() == 1);

  site.fingerprint = 2;

  CHECK(site.link() == "up");
  CHECK(server.connections() == 2);
}

// Lets `connection` check its credentials at later and later times, until `is_done`.
template <class IsDone>
void check_until(Site& site, IsDone is_done) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  auto now = std::chrono::steady_clock::now();
  while (!is_done() && std::chrono::steady_clock::now() < limit) {
    site.connection.check_credentials(now += 2s);
    site.loop.run_for(10ms);
    site.loop.restart();
  }
}

TEST_CASE("changed credentials log in beside the connection in use, which ends after that") {
  TcpServer server({welcome, welcome}, TcpServer::Order::at_once);
  Site site(server.port());
  REQUIRE(site.link() == "up");
  const auto old = site.last;

  site.fingerprint = 2;
  check_until(site, [&] { return old->failure().has_value(); });

  CHECK(site.connection.live_link() != nullptr);
  CHECK(site.connection.live_link() != old);
  CHECK(site.counts->closed == ConnectionCounts::Reasons{{"closed", 1}});
  CHECK_FALSE(site.connection.refused_credentials().has_value());
  CHECK(server.connections() == 2);
}

TEST_CASE("refused credentials leave the connection in use, and are sent again after a change") {
  TcpServer server({welcome, refuse, welcome}, TcpServer::Order::at_once);
  Site site(server.port());
  REQUIRE(site.link() == "up");
  const auto old = site.last;

  site.fingerprint = 2;
  check_until(site, [&] { return site.connection.refused_credentials().has_value(); });
  REQUIRE(site.connection.refused_credentials().has_value());
  CHECK(site.connection.live_link() == old);
  CHECK(site.connection.is_up());
  site.connection.check_credentials(std::chrono::steady_clock::now() + 25s);
  CHECK(server.connections() == 2);
  site.fingerprint = 3;
  check_until(site, [&] { return site.connection.live_link() != old; });

  CHECK_FALSE(site.connection.refused_credentials().has_value());
  CHECK(server.connections() == 3);
}

TEST_CASE("unchanged credentials keep their connection") {
  TcpServer server({welcome});
  Site site(server.port());
  REQUIRE(site.link() == "up");

  int checks = 0;
  check_until(site, [&] { return ++checks > 20; });

  CHECK(site.connection.live_link() == site.last);
  CHECK(server.connections() == 1);
}

TEST_CASE("a server that accepts the connection and sends nothing is a time-out") {
  TcpServer server({say_nothing});
  Site site(server.port());

  CHECK(site.link(50ms) == "timed_out: no connection before the deadline");
}

TEST_CASE("queries do not wait long for a login that outlasted a deadline") {
  TcpServer server({say_nothing});
  Site site(server.port());
  REQUIRE(site.link(10ms) == "timed_out: no connection before the deadline");

  CHECK(site.link() == "unreachable: still failing to connect");

  CHECK(server.connections() == 1);
}

TEST_CASE("a login without a response ends and is attempted again") {
  TcpServer server({say_nothing, welcome});
  Site site(server.port());

  CHECK(site.link(4s) == "timed_out: it did not complete the login in time");

  std::string outcome;
  const auto limit = std::chrono::steady_clock::now() + 5s;
  while (outcome != "up" && std::chrono::steady_clock::now() < limit) outcome = site.link();
  CHECK(outcome == "up");
}

TEST_CASE("a closed connection is not opened again") {
  TcpServer server({welcome});
  Site site(server.port());
  REQUIRE(site.link() == "up");

  site.connection.close();

  CHECK(site.link() == "unreachable: Weir is shutting down");
}

}  // namespace
}  // namespace weir::scalers::clients
