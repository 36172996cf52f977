// The end of the HTTP client.
#include "scalers/clients/http/client.hpp"
#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <utility>

namespace weir::scalers::clients {
namespace {

using test::Connection;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

using Site = test::HttpRig;

TEST_CASE("close() ends every request in flight, and later requests at once") {
  TcpServer server({[](Connection& connection) { connection.wait_for_close(); }});
  Site site;
  const auto first = site.begin(site.request(server.port()));
  const auto second = site.begin(site.request(server.port()));
  test::settle(site.loop);

  site.http.close();
  const auto first_reply = test::finish(site.loop, first);
  const auto second_reply = test::finish(site.loop, second);
  const auto later = site.send(site.request(server.port()));
  site.http.close();

  CHECK(shown(first_reply) == "unreachable: the request was canceled");
  CHECK(shown(second_reply) == "unreachable: the request was canceled");
  CHECK(shown(later) == "unreachable: the request was canceled");
}

TEST_CASE("close() ends a request whose connection is not open yet") {
  const test::FullPort full;
  Site site;
  const auto pending = site.begin(site.request(full.port()));
  test::settle(site.loop);

  site.http.close();
  site.loop.restart();
  const auto begun = std::chrono::steady_clock::now();
  site.loop.run();  // until nothing is left to be done

  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  REQUIRE(pending->has_value());
  CHECK(shown(**pending) == "unreachable: the request was canceled");
}

TEST_CASE("a client may be destroyed while a request is in flight") {
  TcpServer server({[](Connection& connection) { connection.wait_for_close(); }});
  Loop loop;
  test::Pending<Result<HttpReply>> pending;
  {
    Resolver resolver(loop);
    HttpClient http(loop, resolver);
    HttpRequest request;
    request.url = {"http", "127.0.0.1", server.port(), ""};
    pending = test::start(loop, http.send(std::move(request), test::within(15s)));
    test::settle(loop);
  }

  const auto reply = test::finish(loop, pending);

  CHECK(shown(reply) == "unreachable: the request was canceled");
}

}  // namespace
}  // namespace weir::scalers::clients
