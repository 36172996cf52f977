// The client over its machine and a connection: what becomes of questions that somebody gave up.
#include "scalers/clients/amqp/client.hpp"

#include "scalers/clients/net/resolver.hpp"
#include "test/rigs/amqp_frames.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"
#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <future>
#include <optional>
#include <string>

namespace weir::scalers::clients {
namespace {

using test::shown;
using test::TcpServer;
using namespace test::amqp;
using namespace std::chrono_literals;

using Count = Result<std::optional<std::uint64_t>>;

std::string text(const Count& count) {
  if (!count) return shown(count.error());
  return *count ? fmt::format("{}", **count) : "no queue";
}

struct Site {
  explicit Site(std::uint16_t port)
      : client(loop, resolver, AmqpTarget{{"127.0.0.1", port, false, {}}, {}, {}}) {}

  test::Pending<Count> begin(Duration budget) {
    return test::start(loop, client.ready_messages("/", "jobs", test::within(budget)));
  }
  std::string finish(const test::Pending<Count>& pending) {
    return text(test::finish(loop, pending));
  }

  Loop loop;
  Resolver resolver{loop};
  AmqpClient client;
};

void log_in(test::Connection& connection) {
  connection.read_until("AMQP");
  connection.write(start() + tune() + open_ok());
}

TEST_CASE("the late response to an abandoned query is never a value") {
  std::promise<void> is_given_up;
  auto canceled = is_given_up.get_future();
  TcpServer server({[&](test::Connection& connection) {
    log_in(connection);
    if (!connection.read_until(passive_declare(1, "jobs"))) return;
    canceled.wait_for(10s);
    connection.write(channel_open_ok(1) + declare_ok(1, "jobs", 41));
    if (!connection.read_until(passive_declare(1, "jobs"))) return;
    connection.write(declare_ok(1, "jobs", 42));
    connection.wait_for_close();
  }});
  Site site(server.port());

  CHECK(site.finish(site.begin(200ms)) == "timed_out: no response in time");
  const auto later = site.begin(15s);
  const auto beside = site.begin(15s);
  test::settle(site.loop);
  is_given_up.set_value();

  CHECK(site.finish(later) == "42");
  CHECK(site.finish(beside) == "42");
  CHECK(server.connections() == 1);
}

}  // namespace
}  // namespace weir::scalers::clients
