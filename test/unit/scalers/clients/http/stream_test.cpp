#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"
#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::Connection;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

// Waits until the pieces that came make up `text`.
void run_until(Loop& loop, const std::string& got, std::string_view text) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (got != text && std::chrono::steady_clock::now() < limit) {
    loop.restart();
    loop.run_one_until(limit);
  }
  REQUIRE(got == text);
}

struct Site {
  HttpRequest request(std::uint16_t port) {
    HttpRequest out;
    out.url = {"http", "127.0.0.1", port, "/watch"};
    out.on_chunk = [this](const std::string& piece) {
      got += piece;
      return piece != "stop";
    };
    return out;
  }

  std::string got;
  Loop loop;
  Resolver resolver{loop};
  HttpClient http{loop, resolver};
};

TEST_CASE("a stream passes on each piece as it arrives, and ends with an empty body") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write(kHead);
    connection.write(chunk("one\n"));
    connection.read_request();  // the test asks nothing more until it has seen the piece
  }});
  Site site;
  auto pending =
      test::start(site.loop, site.http.send(site.request(server.port()), test::within(15s)));

  run_until(site.loop, site.got, "one\n");

  CHECK_FALSE(pending->has_value());
  site.http.close();
  CHECK(shown(test::finish(site.loop, pending)) == "unreachable: the request was canceled");
}

TEST_CASE("a stream that the server ends is a reply") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write(std::string(kHead) + chunk("a") + chunk("b") + "0\r\n\r\n");
    connection.wait_for_close();
  }});
  Site site;

  const auto reply =
      test::run(site.loop, site.http.send(site.request(server.port()), test::within(15s)));

  REQUIRE(shown(reply) == "a value");
  CHECK(reply->status == 200);
  CHECK(reply->body.empty());
  CHECK(site.got == "ab");
}

TEST_CASE("a stream that is abandoned ends, with its connection") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write(std::string(kHead) + chunk("stop"));
    connection.wait_for_close();
    // The next piece would come to nobody.
  }});
  Site site;

  const auto reply =
      test::run(site.loop, site.http.send(site.request(server.port()), test::within(15s)));

  REQUIRE(shown(reply) == "a value");
  CHECK(reply->body.empty());
  CHECK(site.got == "stop");
}

TEST_CASE("the body of a rejected stream is the reply's") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone");
    connection.wait_for_close();
  }});
  Site site;

  const auto reply =
      test::run(site.loop, site.http.send(site.request(server.port()), test::within(15s)));

  REQUIRE(shown(reply) == "a value");
  CHECK(reply->status == 410);
  CHECK(reply->body == "gone");
  CHECK(site.got.empty());
}

TEST_CASE("a stream may be longer than the limit, and arrives in pieces of 16 KiB at most") {
  const auto flood = [](Connection& connection) {
    connection.read_request();
    connection.write(kHead);
    for (int i = 0; i < 64; ++i) connection.write(chunk(std::string(32 * 1024, 'x')));
    connection.write("0\r\n\r\n");
    connection.wait_for_close();
  };
  TcpServer server({flood});
  Site site;
  auto request = site.request(server.port());
  request.max_body_bytes = 4096;
  std::size_t largest = 0;
  request.on_chunk = [&](const std::string& piece) {
    largest = std::max(largest, piece.size());
    site.got += piece;
    return true;
  };

  const auto reply = test::run(site.loop, site.http.send(std::move(request), test::within(15s)));

  REQUIRE(shown(reply) == "a value");
  CHECK(site.got.size() == 64 * 32 * 1024);
  CHECK(largest <= 16 * 1024);
}

TEST_CASE("a stream ends at its deadline, and no piece arrives after it") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write(kHead);
    connection.write(chunk("a"));
    connection.wait_for_close();
  }});
  Site site;

  const auto reply =
      test::run(site.loop, site.http.send(site.request(server.port()), test::within(300ms)));

  CHECK(reply.error().code == Errc::timed_out);
  CHECK(site.got == "a");
}

}  // namespace
}  // namespace weir::scalers::clients
