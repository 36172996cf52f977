#include "scalers/clients/http/client.hpp"

#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
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

// A server that records requests and responds "{}".
struct Recorder {
  Recorder()
      : server({[this](Connection& connection) {
          for (auto request = connection.read_request(); !request.empty();
               request = connection.read_request()) {
            server.record(std::move(request));
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
  const auto requests = recorder.server.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests.front() ==
        fmt::format("GET /api/v1/query?query=up%7B%7D&timeout=2000ms HTTP/1.1\r\n"
                    "Host: 127.0.0.1:{}\r\n"
                    "Authorization: Basic bWU6cDp3\r\n"
                    "User-Agent: weir/" WEIR_VERSION "\r\n"
                    "Accept: */*\r\n"
                    "Accept-Encoding: identity\r\n"
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
  const auto requests = recorder.server.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests.front().starts_with("POST /api/v1/query HTTP/1.1\r\n"));
  CHECK(requests.front().find("\r\nContent-Type: application/x-www-form-urlencoded\r\n") !=
        std::string::npos);
  CHECK(requests.front().find("\r\nExpect:") == std::string::npos);
  CHECK(requests.front().ends_with("\r\n\r\nquery=" + std::string(100'000, 'a')));
}

TEST_CASE("a request has nothing of the one before, whose connection it uses") {
  Recorder recorder;
  Site site;
  auto post = site.request(recorder.server.port());
  post.method = "POST";
  post.body = "query=up";
  post.basic.emplace(Secret("me"), Secret("p:w"));
  auto get = site.request(recorder.server.port());
  get.url.path = "/";

  REQUIRE(shown(site.send(std::move(post))) == "a value");
  REQUIRE(shown(site.send(std::move(get))) == "a value");

  const auto requests = recorder.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests.back() == fmt::format("GET / HTTP/1.1\r\n"
                                       "Host: 127.0.0.1:{}\r\n"
                                       "User-Agent: weir/" WEIR_VERSION "\r\n"
                                       "Accept: */*\r\n"
                                       "Accept-Encoding: identity\r\n\r\n",
                                       recorder.server.port()));
}

TEST_CASE("a request that waits does not keep the loop busy, nor does an idle connection") {
  TcpServer server({always(ok("{}"))});
  TcpServer silent({[](Connection& connection) { connection.wait_for_close(); }});
  Site site;
  REQUIRE(shown(site.send(site.request(server.port()))) == "a value");

  const auto pending = site.begin(site.request(silent.port()));
  test::settle(site.loop);
  site.loop.restart();
  const auto handlers = site.loop.run_for(100ms);

  CHECK_FALSE(pending->has_value());
  CHECK(handlers < 10);
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

TEST_CASE("a body of exactly the limit passes, chunked or not") {
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

struct Whole {
  std::string_view name;
  std::string bytes;
  long status;
  std::string body;
};

TEST_CASE("a reply ends as HTTP defines") {
  const Whole rows[] = {
      {"after its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
      {"after its last chunk and trailers",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX-T: "
       "1\r\n\r\n",
       200,
       "{}"},
      {"with the connection", "HTTP/1.1 200 OK\r\n\r\n{}", 200, "{}"},
      {"with the connection, of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n{}", 200, "{}"},
      {"after its head", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"after an interim one",
       "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "2\r\n\r\n{}",
       200,
       "{}"},
  };

  for (const Whole& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TcpServer server({once(row.bytes)});
      Site site;

      const auto reply = site.send(site.request(server.port()));

      REQUIRE(shown(reply) == "a value");
      CHECK(reply->status == row.status);
      CHECK(reply->body == row.body);
    }
  }
}

TEST_CASE("a reply that arrives byte by byte is the same") {
  const Whole rows[] = {
      {"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
      {"in chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
       200,
       "{}"},
      {"in no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""},
  };

  for (const Whole& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TcpServer server({[&](Connection& connection) {
        connection.read_request();
        connection.write_apart(row.bytes);
        connection.wait_for_close();
      }});
      Site site;

      const auto reply = site.send(site.request(server.port()));

      REQUIRE(shown(reply) == "a value");
      CHECK(reply->body == row.body);
    }
  }
}

TEST_CASE("a head of 60 KiB is read") {
  TcpServer server({once("HTTP/1.1 200 OK\r\nX-A: " + std::string(60'000, 'a') +
                         "\r\nContent-Length: 2\r\n\r\n{}")});
  Site site;

  const auto reply = site.send(site.request(server.port()));

  REQUIRE(shown(reply) == "a value");
  CHECK(reply->body == "{}");
}

TEST_CASE("a small reply is parsed on the loop, a large reply on a thread") {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{100'000}}) {
    DYNAMIC_SECTION(size) {
      TcpServer server({always(ok(std::string(size, 'x')))});
      Site site;
      auto request = site.request(server.port());
      std::thread::id digested_by;
      std::size_t digested = 0;
      request.on_reply = [&](const HttpReply& reply) {
        digested_by = std::this_thread::get_id();
        digested = reply.body.size();
      };

      const auto reply = site.send(std::move(request));

      REQUIRE(shown(reply) == "a value");
      CHECK(digested == size);
      CHECK((digested_by == std::this_thread::get_id()) == (size < 16'384));
    }
  }
}

TEST_CASE("a parser that throws fails its request, also for a large reply") {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{100'000}}) {
    DYNAMIC_SECTION(size) {
      TcpServer server({always(ok(std::string(size, 'x')))});
      Site site;
      auto request = site.request(server.port());
      request.on_reply = [](const HttpReply&) { throw std::runtime_error("a bug"); };

      const auto reply = site.send(request);
      request.on_reply = nullptr;
      const auto next = site.send(request);

      CHECK(shown(reply) == "bad_reply: an internal error; please report it <a bug>");
      CHECK(shown(next) == "a value");
    }
  }
}

}  // namespace
}  // namespace weir::scalers::clients
