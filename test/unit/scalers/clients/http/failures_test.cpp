// What the HTTP client makes of servers that are wrong, silent or gone.
#include "scalers/clients/http/client.hpp"
#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
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
using namespace std::string_literals;

using Site = test::HttpRig;

struct Wrong {
  std::string_view name;
  std::string bytes;  // what the server says before it closes
  std::string message;
};

std::string repeated(int times, std::string_view text) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_CASE("bytes that are not a complete HTTP response are an error") {
  const Wrong rows[] = {
      {"garbage",
       "\x16\x03\x01 no HTTP\r\n\r\n",
       "bad_reply: the response is not HTTP <bad version>"},
      {"HTTP/0.9", "<html>hello</html>", "bad_reply: the response is not HTTP <bad version>"},
      {"another protocol",
       "SSH-2.0-OpenSSH_9.2\r\n",
       "bad_reply: the response is not HTTP <bad version>"},
      {"an unknown version",
       "HTTP/7.0 200 OK\r\n\r\n",
       "bad_reply: the response is not HTTP <bad version>"},
      {"a version that was not agreed on",
       "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\n{}",
       "bad_reply: the response is not HTTP <bad version>"},
      {"nothing", "", "unreachable: the connection was lost (End of file)"},
      {"half a head", "HTTP/1.1 200 OK\r\nContent-Len", "bad_reply: the response is incomplete"},
      {"a line of a head without an end",
       "HTTP/1.1 200 OK\r\nX-A: " + std::string(110'000, 'a'),
       "bad_reply: the response is not HTTP <header limit exceeded>"},
      {"a head without an end",
       "HTTP/1.1 200 OK\r\n" + repeated(9'000, "X-A: b\r\n"),
       "bad_reply: the response is not HTTP <header limit exceeded>"},
      {"half a status line", "HTTP/1.1 2", "unreachable: the connection was lost (End of file)"},
      {"a length and chunks",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: "
       "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
       "bad_reply: the response is not HTTP <bad Transfer-Encoding>"},
      {"a length that is not a number",
       "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
       "bad_reply: the response is not HTTP <bad Content-Length>"},
      {"a length below 0",
       "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
       "bad_reply: the response is not HTTP <bad Content-Length>"},
      {"a line without a name",
       "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\n{}",
       "bad_reply: the response is not HTTP <bad field>"},
      {"a chunk without a size",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n",
       "bad_reply: the response is not HTTP <bad chunk>"},
      {"a chunk with another size",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
       "bad_reply: the response is not HTTP <bad chunk>"},
      {"two lengths",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
       "bad_reply: the response is not HTTP <multiple Content-Length>"},
      {"a status below 100",
       "HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n{}",
       "bad_reply: the response is not HTTP <bad status>"},
      {"too many interim responses",
       repeated(20, "HTTP/1.1 100 Continue\r\n\r\n"),
       "bad_reply: the response is not HTTP <too many interim responses>"},
      {"another protocol from here on",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
       "bad_reply: the response is not HTTP <it switches to another protocol>"},
      {"an extension of a chunk without an end",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=" + std::string(400'000, 'a'),
       "bad_reply: the response is incomplete"},
      {"trailers without an end",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" +
           repeated(40'000, "X-A: b\r\n"),
       "bad_reply: the response is not HTTP <an unterminated line>"},
      {"a chunked body that is compressed beside",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
       "bad_reply: the response is compressed, although Weir did not request it; disable the "
       "compression <gzip, "
       "chunked>"},
      {"a body that is too short",
       "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
       "bad_reply: the response is incomplete"},
      {"a chunked body without its end",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
       "bad_reply: the response is incomplete"},
      {"a compressed body",
       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
       "bad_reply: the response is compressed, although Weir did not request it; disable the "
       "compression <gzip>"},
  };

  for (const Wrong& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TcpServer server({[&](Connection& connection) {
        connection.read_request();
        connection.write(row.bytes);
      }});
      Site site;

      const auto reply = site.send(site.request(server.port()));

      CHECK(shown(reply) == row.message);
    }
  }
}

TEST_CASE("a continued line continues nothing of an earlier response") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}");
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\n  continued\r\nContent-Length: 2\r\n\r\n{}");
  }});
  Site site;

  const auto first = site.send(site.request(server.port()));
  const auto second = site.send(site.request(server.port()));

  CHECK(shown(first) == "a value");
  CHECK(shown(second) == "bad_reply: the response is not HTTP <bad field>");
}

TEST_CASE("an unknown encoding that contains a secret does not reveal it") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: Bearer s3cr3t\r\n\r\n");
  }});
  Site site;
  auto request = site.request(server.port());
  request.headers.push_back({"Authorization", Secret("Bearer s3cr3t"), true});

  const auto reply = site.send(std::move(request));

  CHECK(shown(reply) ==
        "bad_reply: the response is compressed, although Weir did not request it; disable the "
        "compression <[hidden]>");
}

TEST_CASE("a connection that is closed before the request is read is lost") {
  TcpServer server({[](Connection&) {}});
  Site site;

  const auto reply = site.send(site.request(server.port()));

  REQUIRE(reply.has_error());
  CHECK(reply.error().code == Errc::unreachable);
  CHECK(reply.error().detail.starts_with("the connection was lost ("));
}

TEST_CASE("a closed port is unreachable, and the error names neither host nor port") {
  const test::LoopbackSocket nobody_listens;
  Site site;

  const auto reply = site.send(site.request(nobody_listens.port()));

  CHECK(shown(reply) == "unreachable: cannot connect (Connection refused)");
}

TEST_CASE("no response in time ends at the deadline") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.wait_for_close();
  }});
  Site site;
  const auto started = std::chrono::steady_clock::now();

  const auto reply = site.send(site.request(server.port()), 50ms);
  const auto took = std::chrono::steady_clock::now() - started;

  CHECK(shown(reply) == "timed_out: it did not respond");
  CHECK(took >= 45ms);
  CHECK(took < 5s);
}

TEST_CASE("half a response in time ends at the deadline too") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    connection.wait_for_close();
  }});
  Site site;

  const auto reply = site.send(site.request(server.port()), 50ms);

  CHECK(shown(reply) == "timed_out: it did not respond");
}

TEST_CASE("a request after a late request gets its response") {
  TcpServer server({[](Connection& connection) {
                      connection.read_request();
                      connection.wait_for_close();
                    },
                    [](Connection& connection) {
                      connection.read_request();
                      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                      connection.wait_for_close();
                    }});
  Site site;

  const auto late = site.send(site.request(server.port()), 50ms);
  const auto next = site.send(site.request(server.port()));

  CHECK(shown(late) == "timed_out: it did not respond");
  CHECK(shown(next) == "a value");
}

TEST_CASE("a body over the limit is rejected") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x'));
    connection.wait_for_close();
  }});
  Site site;
  auto request = site.request(server.port());
  request.max_body_bytes = 4096;

  const auto reply = site.send(std::move(request));

  CHECK(shown(reply) == "too_large: the response is over 4 KiB");
}

TEST_CASE("an error has the server's clock by its header Date") {
  struct Row {
    std::string_view name;
    std::string head;
    bool is_known;
  };
  const Row rows[] = {
      {"a time", "403 Forbidden\r\nDate: Sat, 31 Jan 2026 11:20:00 GMT\r\n", true},
      {"an error of the server", "500 Oops\r\ndate:Sat, 31 Jan 2026 11:20:00 GMT\r\n", true},
      {"a value", "200 OK\r\nDate: Sat, 31 Jan 2026 11:20:00 GMT\r\n", false},
      {"no header", "403 Forbidden\r\n", false},
      {"another text", "403 Forbidden\r\nDate: yesterday\r\n", false},
      {"a long text",
       "403 Forbidden\r\nDate: Sat, 31 Jan 2026 11:20:00 GMT" + std::string(100, ' ') + "x\r\n",
       false},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    TcpServer server({test::once("HTTP/1.1 " + row.head + "Content-Length: 0\r\n\r\n")});
    Site site;

    const auto reply = site.send(site.request(server.port()));

    REQUIRE(reply.has_value());
    REQUIRE(reply->clock_ahead.has_value() == row.is_known);
    if (!row.is_known) continue;
    const WallTime told = std::chrono::system_clock::now() + *reply->clock_ahead;
    CHECK(told >= WallTime(1'769'858'400s));
    CHECK(told < WallTime(1'769'858'400s) + 60s);
  }
}

TEST_CASE("a cached failure counts as an open breaker for every backend of the host") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    connection.wait_for_close();
  }});
  Site site;
  auto first = site.request(server.port());
  first.basic.emplace(Secret("me"), Secret("wrong"));
  auto second = first;
  first.counts = std::make_shared<ConnectionCounts>();
  second.counts = std::make_shared<ConnectionCounts>();

  const auto sent = site.send(first);
  const auto cached = site.send(second);

  CHECK(shown(sent) == "a value");
  CHECK(shown(cached) == "a value");
  CHECK(server.connections() == 1);
  CHECK(first.counts->is_breaker_open);
  CHECK(second.counts->is_breaker_open);
}

TEST_CASE("refused credentials are noted until the server accepts others in the same place") {
  TcpServer server({test::once("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
                    test::once(test::ok("{}")),
                    test::once(test::ok("{}"))});
  Site site;
  auto wrong = site.request(server.port());
  wrong.auth_scope = "/a";
  wrong.basic.emplace(Secret("me"), Secret("wrong"));
  wrong.counts = std::make_shared<ConnectionCounts>();
  auto elsewhere = wrong;
  elsewhere.auth_scope = "/b";
  auto right = wrong;
  right.basic.emplace(Secret("me"), Secret("right"));
  const auto is_refused = [&] { return wrong.counts->refused_credentials.has_value(); };

  REQUIRE(shown(site.send(wrong)) == "a value");
  const bool after_wrong = is_refused();
  REQUIRE(shown(site.send(elsewhere)) == "a value");
  const bool after_elsewhere = is_refused();
  REQUIRE(shown(site.send(right)) == "a value");

  CHECK(after_wrong);
  CHECK(after_elsewhere);
  CHECK_FALSE(is_refused());
}

TEST_CASE("a body with a Content-Length over the limit is rejected at its first byte") {
  TcpServer server({[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nx");
    connection.wait_for_close();
  }});
  Site site;
  auto request = site.request(server.port());
  request.max_body_bytes = 4096;
  request.if_too_large = "query fewer series";

  const auto reply = site.send(std::move(request));

  CHECK(shown(reply) == "too_large: the response is over 4 KiB; query fewer series");
}

TEST_CASE("a failed connect is distinguished from a late response, and not retried") {
  const test::FullPort full;
  Site site;
  auto request = site.request(full.port());
  request.counts = std::make_shared<ConnectionCounts>();

  const auto first = site.send(request, 100ms);
  const auto second = site.send(request, 100ms);

  CHECK(shown(first) == "timed_out: it did not accept a connection in time");
  CHECK(shown(second) == "unreachable: it did not accept a connection in time");
  CHECK(request.counts->failed == ConnectionCounts::Reasons{{"timed_out", 1}});
  CHECK(request.counts->is_breaker_open);
}

TEST_CASE("a connection attempt with little time does not open the breaker") {
  const test::FullPort full;
  Site site;
  auto request = site.request(full.port());
  request.counts = std::make_shared<ConnectionCounts>();

  const auto first = site.send(request, 20ms);
  const auto second = site.send(request, 20ms);
  const auto none = site.send(request, 0ms);

  CHECK(shown(first) == "timed_out: it did not respond");
  CHECK(shown(second) == "timed_out: it did not respond");
  CHECK(shown(none) == "timed_out: it did not respond");
  CHECK_FALSE(request.counts->is_breaker_open);
}

TEST_CASE("a descriptor that libcurl has closed by itself is not closed again") {
  const test::FullPort full;
  TcpServer server({test::always(test::ok("{}"))}, TcpServer::Order::at_once);
  Site site;
  // The connect ends by its time limit, and the next socket has the same number.
  REQUIRE(site.send(site.request(full.port()), 100ms).has_error());

  const auto pending = site.begin(site.request(server.port()));
  const auto other = site.send(site.request(server.port()));

  CHECK(shown(test::finish(site.loop, pending)) == "a value");
  CHECK(shown(other) == "a value");
}

}  // namespace
}  // namespace weir::scalers::clients
