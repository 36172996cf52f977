#include "scalers/clients/http.hpp"

#include "scalers/clients/resolver.hpp"
#include "test/support/loop.hpp"
#include "test/support/shown.hpp"
#include "test/support/tcp_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
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

struct Site {
  HttpRequest request(std::uint16_t port) const {
    HttpRequest out;
    out.url = {"http", "127.0.0.1", port, "/api/v1/query"};
    return out;
  }
  Result<HttpReply> send(HttpRequest request, Duration budget = 15s) {
    return test::run(loop, http.send(std::move(request), test::within(budget)));
  }

  Loop loop;
  Resolver resolver{loop};
  HttpClient http{loop, resolver};
};

std::string ok(std::string_view body) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(),
      body);
}

// Answers every request of a connection with those bytes.
TcpServer::Script always(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) {
    while (!connection.read_request().empty()) connection.write(bytes);
  };
}

// Answers one request with those bytes and closes the connection.
TcpServer::Script once(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) {
    connection.read_request();
    connection.write(bytes);
  };
}

// A server that keeps what it heard and answers "{}".
struct Recorder {
  Recorder()
      : server({[this](Connection& connection) {
          for (auto heard = connection.read_request(); !heard.empty();
               heard = connection.read_request()) {
            server.heard(std::move(heard));
            connection.write(ok("{}"));
          }
        }}) {}
  TcpServer server;
};

TEST_CASE("a reply is its status, its type and its body") {
  TcpServer server({always(ok(R"({"a":1})"))});
  Site site;

  const auto reply = site.send(site.request(server.port()));

  REQUIRE(shown(reply) == "a value");
  CHECK(reply->status == 200);
  CHECK(reply->body == R"({"a":1})");
}

TEST_CASE(
    "a GET carries its path, query, headers and credentials, and nothing from the environment") {
  Recorder recorder;
  Site site;
  auto request = site.request(recorder.server.port());
  request.query = "query=up%7B%7D&timeout=2000ms";
  request.headers.push_back({"X-Scope-OrgID", Secret("team"), true});
  request.basic.emplace(Secret("me"), Secret("p:w"));

  const auto reply = site.send(std::move(request));

  REQUIRE(shown(reply) == "a value");
  const auto heard = recorder.server.requests();
  REQUIRE(heard.size() == 1);
  CHECK(heard.front() == fmt::format("GET /api/v1/query?query=up%7B%7D&timeout=2000ms HTTP/1.1\r\n"
                                     "Host: 127.0.0.1:{}\r\n"
                                     "Authorization: Basic bWU6cDp3\r\n"
                                     "User-Agent: weir/" WEIR_VERSION "\r\n"
                                     "Accept: */*\r\n"
                                     "Accept-Encoding: gzip\r\n"
                                     "X-Scope-OrgID: team\r\n\r\n",
                                     recorder.server.port()));
}

TEST_CASE("a POST carries a form, whatever its bytes") {
  Recorder recorder;
  Site site;
  auto request = site.request(recorder.server.port());
  request.method = "POST";
  request.body = "query=" + std::string(100'000, 'a');

  const auto reply = site.send(std::move(request));

  REQUIRE(shown(reply) == "a value");
  const auto heard = recorder.server.requests();
  REQUIRE(heard.size() == 1);
  CHECK(heard.front().starts_with("POST /api/v1/query HTTP/1.1\r\n"));
  CHECK(heard.front().find("\r\nContent-Type: application/x-www-form-urlencoded\r\n") !=
        std::string::npos);
  CHECK(heard.front().find("\r\nExpect:") == std::string::npos);
  CHECK(heard.front().ends_with("\r\n\r\nquery=" + std::string(100'000, 'a')));
}

TEST_CASE("requests share one kept connection") {
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

TEST_CASE("a kept connection that the server closed is replaced within the same request") {
  TcpServer server({once(ok("1")), once(ok("2"))});
  Site site;

  const auto first = site.send(site.request(server.port()));
  const auto second = site.send(site.request(server.port()));

  REQUIRE(shown(first) == "a value");
  REQUIRE(shown(second) == "a value");
  CHECK(second->body == "2");
  CHECK(server.connections() == 2);
}

TEST_CASE("any status is a reply, and a redirect is not followed") {
  TcpServer elsewhere({always(ok("elsewhere"))});
  TcpServer server(
      {once(fmt::format("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{}/\r\n"
                        "Content-Length: 0\r\nConnection: close\r\n\r\n",
                        elsewhere.port())),
       once("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy")});
  Site site;

  const auto redirect = site.send(site.request(server.port()));
  const auto busy = site.send(site.request(server.port()));

  REQUIRE(shown(redirect) == "a value");
  CHECK(redirect->status == 302);
  CHECK(redirect->body.empty());
  CHECK(elsewhere.connections() == 0);
  REQUIRE(shown(busy) == "a value");
  CHECK(busy->status == 503);
  CHECK(busy->body == "busy");
}

TEST_CASE("a body of just the allowed size passes, chunked or not") {
  TcpServer server({once(ok(std::string(1000, 'x'))),
                    once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
                         std::string(1000, 'x') + "\r\n0\r\n\r\n")});
  Site site;
  auto request = site.request(server.port());
  request.max_body_bytes = 1000;

  const auto plain = site.send(request);
  const auto chunked = site.send(request);

  REQUIRE(shown(plain) == "a value");
  CHECK(plain->body.size() == 1000);
  REQUIRE(shown(chunked) == "a value");
  CHECK(chunked->body.size() == 1000);
}

// The bytes of a gzip stream that says "a", then 258 times "a" again and again: 13 bits for 258
// bytes.
std::string gzip_bomb(int repeats) {
  std::string bits =
      "110"
      "10010001";  // last block, fixed codes (type 1, low bit first); the literal "a"
  for (int i = 0; i < repeats; ++i)
    bits +=
        "11000101"
        "00000";
  bits += "0000000";
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  for (std::size_t at = 0; at < bits.size(); at += 8) {
    unsigned byte = 0;
    for (std::size_t i = 0; i < 8 && at + i < bits.size(); ++i)
      byte |= (bits[at + i] == '1' ? 1U : 0U) << i;
    out += static_cast<char>(byte);
  }
  return out + std::string(8, '\0');  // no valid checksum: nobody gets that far
}

TEST_CASE("the size of a compressed body counts as it unpacks") {
  const auto bomb = gzip_bomb(40'000);  // 10 MB in 65 KB
  TcpServer server(
      {once(fmt::format("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{}",
                        bomb.size(),
                        bomb))});
  Site site;

  const auto reply = site.send(site.request(server.port()));

  CHECK(bomb.size() < 70'000);
  CHECK(shown(reply) == "too_large: the answer is over 1024 KiB; ask for fewer series");
}

}  // namespace
}  // namespace weir::scalers::clients
