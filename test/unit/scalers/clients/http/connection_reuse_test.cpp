// Which connections of the HTTP client serve another request, and how lost ones are replaced.
#include "scalers/clients/http/client.hpp"
#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

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

TEST_CASE("requests share one connection") {
  TcpServer server({always(ok("{}"))});
  Site site;

  const auto first = site.send(site.request(server.port()));
  const auto second = site.send(site.request(server.port()));
  const auto third = site.send(site.request(server.port()));

  CHECK(shown(first) == "a value");
  CHECK(shown(second) == "a value");
  CHECK(shown(third) == "a value");
  CHECK(server.connections() == 1);
}

TEST_CASE("a request to an address asks that one alone, on connections of its own") {
  TcpServer first({always(ok("first"))});
  TcpServer second({always(ok("second"))}, 1, first.port());
  const test::LoopbackSocket nobody(2, first.port());
  Site site;
  const auto send = [&](const std::string& address) {
    auto request = site.request(first.port());
    request.url.host = "workers.invalid";
    request.address = address;
    return site.send(std::move(request));
  };

  for (int i = 0; i < 2; ++i) {
    CHECK(send("127.0.0.1")->body == "first");
    CHECK(send("127.0.0.2")->body == "second");
    CHECK(shown(send("127.0.0.3")).starts_with("unreachable: "));
  }

  CHECK(first.connections() == 1);
  CHECK(second.connections() == 1);
}

TEST_CASE("an address that is silent does not count as the others of its host") {
  TcpServer server({always(ok("{}"))});
  const test::FullPort silent(1, server.port());
  Site site;
  auto request = site.request(server.port());
  request.address = "127.0.0.2";
  CHECK(shown(site.send(request, 500ms)).starts_with("timed_out: "));

  request.address = "127.0.0.1";

  CHECK(shown(site.send(request, 500ms)) == "a value");
}

TEST_CASE("an idle connection that the server closed is replaced within the same request") {
  TcpServer server({once(ok("1")), once(ok("2"))});
  Site site;

  const auto first = site.send(site.request(server.port()));
  const auto second = site.send(site.request(server.port()));

  REQUIRE(shown(first) == "a value");
  REQUIRE(shown(second) == "a value");
  CHECK(second->body == "2");
  CHECK(server.connections() == 2);
}

struct Unkept {
  std::string_view name;
  std::string bytes;
  std::string reason = "closed";
};

const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

TEST_CASE("a connection that the server ends, or sends unsolicited data on, is not reused") {
  const Unkept rows[] = {
      {"it says so", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"},
      {"an unsolicited reply", ok("{}") + ok("forged")},
      {"an unsolicited reply after chunks", kChunked + ok("forged"), "idle"},
      {"half a reply after chunks", kChunked + "HTTP/1.1 200", "idle"},
  };

  for (const Unkept& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TcpServer server({[&](Connection& connection) {
        connection.read_request();
        connection.write(row.bytes);
        connection.wait_for_close();
      }});
      Site site;
      auto request = site.request(server.port());
      request.counts = std::make_shared<ConnectionCounts>();

      const auto first = site.send(request);
      const auto second = site.send(request);

      REQUIRE(shown(first) == "a value");
      REQUIRE(shown(second) == "a value");
      CHECK(second->body == "{}");
      CHECK(server.connections() == 2);
      CHECK(request.counts->opened == 2);
      CHECK(request.counts->closed == ConnectionCounts::Reasons{{row.reason, 2}});
    }
  }
}

TEST_CASE("what follows a response without a body is not the next response") {
  TcpServer server({[](Connection& connection) {
                      connection.read_request();
                      connection.write("HTTP/1.1 204 No Content\r\n\r\n" + ok("forged"));
                      connection.wait_for_close();
                    },
                    always(ok("2"))});
  Site site;

  const auto first = site.send(site.request(server.port()));
  const auto second = site.send(site.request(server.port()));

  REQUIRE(first.has_value());
  CHECK(first->status == 204);
  REQUIRE(second.has_value());
  CHECK(second->body == "2");
}

TEST_CASE("a chunked response leaves its connection to the next request") {
  TcpServer server({always(kChunked)});
  Site site;

  const auto first = site.send(site.request(server.port()));
  const auto second = site.send(site.request(server.port()));

  CHECK(shown(first) == "a value");
  CHECK(shown(second) == "a value");
  CHECK(server.connections() == 1);
}

TEST_CASE("unsolicited data on an idle connection is never the reply to the next request") {
  const Unkept rows[] = {
      {"a second reply", ok("forged")},
      {"a time-out of the server's", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"},
      {"a byte", "x"},
  };

  for (const Unkept& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::promise<void> has_read;
      std::promise<void> has_said;
      TcpServer server({[&](Connection& connection) {
                          connection.read_request();
                          connection.write(ok("1"));
                          has_read.get_future().wait();
                          connection.write(row.bytes);
                          has_said.set_value();
                          connection.wait_for_close();
                        },
                        always(ok("2"))});
      Site site;
      auto request = site.request(server.port());
      request.counts = std::make_shared<ConnectionCounts>();

      const auto first = site.send(request);
      has_read.set_value();
      has_said.get_future().wait();
      const auto second = site.send(request);

      REQUIRE(shown(first) == "a value");
      REQUIRE(shown(second) == "a value");
      CHECK(first->body == "1");
      CHECK(second->body == "2");
      CHECK(server.connections() == 2);
      CHECK(request.counts->closed == ConnectionCounts::Reasons{{"idle", 1}});
    }
  }
}

TEST_CASE(
    "a connection that is lost during its reuse counts as lost, and its replacement as opened") {
  TcpServer server({[](Connection& connection) {
                      connection.read_request();
                      connection.write(ok("1"));
                      connection.read_request();
                    },
                    always(ok("2"))});
  Site site;
  auto request = site.request(server.port());
  request.counts = std::make_shared<ConnectionCounts>();

  const auto first = site.send(request);
  const auto second = site.send(request);
  site.http.close();

  CHECK(shown(first) == "a value");
  CHECK(shown(second) == "a value");
  CHECK(request.counts->opened == 2);
  CHECK(request.counts->closed == ConnectionCounts::Reasons{{"closed", 1}, {"unreachable", 1}});
}

TEST_CASE("a request without a response on a new connection is not sent again") {
  TcpServer server({[](Connection& connection) { connection.read_request(); }});
  Site site;

  const auto reply = site.send(site.request(server.port()));

  CHECK(reply.error().code == Errc::unreachable);
  CHECK(server.connections() == 1);
}

}  // namespace
}  // namespace weir::scalers::clients
