// Connects to several addresses of one host.
#include "scalers/clients/http/connect_race.hpp"

#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace weir::scalers::clients {
namespace {

using test::always;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

struct Site {
  Result<HttpReply> send(std::uint16_t port, Addresses addresses, Duration connect_budget) {
    HttpRequest request;
    request.url = {"http", "prom", port, "/"};
    const HttpOrigin origin{"http", "prom", port, nullptr, nullptr, false};
    auto transfer = test::run(loop,
                              send_to_one(multi,
                                          std::make_shared<const HttpRequest>(std::move(request)),
                                          origin,
                                          std::move(addresses),
                                          connect_budget,
                                          test::within(15s),
                                          false));
    if (!transfer) return Error{Errc::unreachable, "no transfer", ""};
    return std::move(transfer->outcome());
  }

  Loop loop;
  std::shared_ptr<CurlMulti> multi = CurlMulti::make(loop);
};

TEST_CASE("a silent address delays the next address briefly") {
  TcpServer server({always(test::ok("{}"))});
  const test::FullPort silent(1, server.port());
  Site site;
  const auto begun = std::chrono::steady_clock::now();

  const auto reply = site.send(server.port(), {"127.0.0.2", "127.0.0.1"}, 14s);
  const auto took = std::chrono::steady_clock::now() - begun;

  CHECK(shown(reply) == "a value");
  CHECK(took >= 240ms);
  CHECK(took < 5s);
}

TEST_CASE("an address that refuses does not delay the next address") {
  TcpServer server({always(test::ok("{}"))});
  const test::LoopbackSocket refusing(1, server.port());
  Site site;

  const auto reply = site.send(server.port(), {"127.0.0.2", "127.0.0.1"}, 200ms);

  CHECK(shown(reply) == "a value");
}

TEST_CASE("the request is sent to one of the addresses alone") {
  TcpServer server({always(test::ok("{}"))});
  Site site;

  const auto reply = site.send(server.port(), {"127.0.0.1", "127.0.0.1"}, 14s);

  CHECK(shown(reply) == "a value");
  CHECK(server.connections() == 1);
}

TEST_CASE("when no address accepts, the last failure is returned") {
  const test::FullPort silent;
  const test::LoopbackSocket refusing(1, silent.port());
  Site site;

  const auto failed = site.send(silent.port(), {"127.0.0.1", "127.0.0.2"}, 400ms);
  const auto none = site.send(silent.port(), {}, 400ms);

  CHECK(shown(failed) == "timed_out: it did not accept a connection in time");
  CHECK(shown(none) == "unreachable: no transfer");
}

}  // namespace
}  // namespace weir::scalers::clients
