#include "server/http/head.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace weir::server {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBody = "Transfer-Encoding is not accepted: no request here has a body";
constexpr std::string_view kMalformed = "the request head is malformed";
constexpr std::string_view kHost = "one Host header is needed";
constexpr std::string_view kLength = "Content-Length is not one number";
constexpr std::string_view kNotPath =
    "the request target is not a path and a query, percent-encoded";
constexpr std::string_view kFolded = "folded headers are not accepted";

struct Refused {
  std::string_view name;
  std::string_view bytes;
  int status;
  std::string_view reason;
};

void check(const Refused& row) {
  DYNAMIC_SECTION(row.name) {
    const auto parsed = parse_head(row.bytes);

    REQUIRE(std::holds_alternative<Refusal>(parsed));
    CHECK(std::get<Refusal>(parsed).status == row.status);
    CHECK(std::get<Refusal>(parsed).reason == row.reason);
  }
}

struct Accepted {
  std::string_view name;
  std::string_view bytes;
  bool is_keep_alive;
};

void check(const Accepted& row) {
  DYNAMIC_SECTION(row.name) {
    const auto parsed = parse_head(row.bytes);

    REQUIRE(std::holds_alternative<Head>(parsed));
    CHECK(std::get<Head>(parsed).size == row.bytes.size());
    CHECK(std::get<Head>(parsed).is_keep_alive == row.is_keep_alive);
  }
}

TEST_CASE("S34: no form of Transfer-Encoding is accepted") {
  const Refused rows[] = {
      {"chunked", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400, kBody},
      {"3.3: chunked, identity",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
       400,
       kBody},
      {"3.3: identity alone",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
       400,
       kBody},
      {"3.3: chunked in HTTP/1.0",
       "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       400,
       kBody},
      {"of a method that may have a body",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
       400,
       kBody},
      {"an empty one", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 400, kBody},
      {"an unknown coding",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
       400,
       kBody},
      {"any case of letters",
       "GET / HTTP/1.1\r\nHost: a\r\ntRANSFER-eNCODING: CHUNKED\r\n\r\n",
       400,
       kBody},
      {"a vertical tab before the coding",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n",
       400,
       kMalformed},
      {"after a Content-Length",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
       400,
       kMalformed},
      {"beside a Content-Length, before it",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
       400,
       kMalformed},
      {"twice",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
       400,
       kMalformed},
      {"a blank before its colon",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
       400,
       kMalformed},
  };

  for (const Refused& row : rows) check(row);
}

TEST_CASE("S37: a Content-Length is one number, and zero on a method without a body") {
  const Refused rows[] = {
      {"3.3: a list of equal ones",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4,4\r\n\r\n",
       400,
       kLength},
      {"a list with a blank",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\n",
       400,
       kLength},
      {"a plus sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\n", 400, kMalformed},
      {"a minus sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -4\r\n\r\n", 400, kMalformed},
      {"hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\n", 400, kMalformed},
      {"empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400, kMalformed},
      {"two equal headers",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
       400,
       kLength},
      {"two differing headers",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
       400,
       kMalformed},
      {"two headers of zero",
       "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
       400,
       kLength},
      {"over 64 bits",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n",
       400,
       kMalformed},
      {"a body on GET",
       "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
       400,
       "a body is not accepted"},
      {"a body on HEAD",
       "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
       400,
       "a body is not accepted"},
      {"a body on GET after leading zeros",
       "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0001\r\n\r\n",
       400,
       "a body is not accepted"},
  };

  for (const Refused& row : rows) check(row);
}

TEST_CASE("S34, S06: headers that change the meaning of the bytes after a head are rejected") {
  const Refused rows[] = {
      {"Trailer",
       "GET / HTTP/1.1\r\nHost: a\r\nTrailer: X-Remote-User\r\n\r\n",
       400,
       "Trailer is not accepted: no request here has a body"},
      {"Upgrade",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
       400,
       "Upgrade is not accepted"},
      {"Expect",
       "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
       400,
       "Expect is not accepted"},
      {"a header folded with a blank",
       "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n X-Remote-User: root\r\n\r\n",
       400,
       kFolded},
      {"a header folded with a tab",
       "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tX-Remote-User: root\r\n\r\n",
       400,
       kFolded},
      {"a fold directly after the request line",
       "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
       400,
       kFolded},
      {"no Host in HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", 400, kHost},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, kHost},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400, kHost},
      {"bare LF throughout", "GET / HTTP/1.1\nHost: a\n\n", 400, "lines end with CR LF"},
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, kMalformed},
      {"bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, kMalformed},
      {"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, kMalformed},
      {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400, kMalformed},
      {"NUL in a value", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"sv, 400, kMalformed},
      {"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n"sv, 400, kMalformed},
      {"DEL in a value", "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", 400, kMalformed},
      {"a blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, kMalformed},
      {"a line without a colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400, kMalformed},
      {"a header without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400, kMalformed},
  };

  for (const Refused& row : rows) check(row);
}

TEST_CASE("a request line is a method, a path and a version") {
  const Refused rows[] = {
      {"nothing", "\r\n\r\n", 400, kMalformed},
      {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"no version: HTTP/0.9", "GET /\r\n\r\n", 400, kMalformed},
      {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"a blank first", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"a method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"another protocol", "GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, kMalformed},
      {"absolute form", "GET http://b/apis HTTP/1.1\r\nHost: a\r\n\r\n", 400, kNotPath},
      {"an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, kNotPath},
      {"authority form", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, kNotPath},
      {"S22: a broken escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, kNotPath},
      {"S22: NUL in the path", "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", 400, kNotPath},
      {"a TLS handshake inside", "\x16\x03\x01\x02\r\n\r\n", 400, kMalformed},
  };

  for (const Refused& row : rows) check(row);
}

TEST_CASE("no version but HTTP/1.1 and HTTP/1.0 is spoken") {
  const std::string_view lines[] = {"GET / HTTP/2.0",
                                    "PRI * HTTP/2.0",
                                    "GET / HTTP/1.2",
                                    "GET / HTTP/0.9",
                                    "GET / HTTP/1.",
                                    "GET / HTTP/11"};

  for (const std::string_view line : lines) {
    DYNAMIC_SECTION(line) {
      const auto parsed = parse_head(std::string(line) + "\r\nHost: a\r\n\r\n");

      CHECK(std::holds_alternative<Refusal>(parsed));
    }
  }
}

TEST_CASE("a connection is kept alive by the rules of its version, and never after a body") {
  const Accepted rows[] = {
      {"HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", true},
      {"Connection: close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"close in capitals in a list",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n",
       false},
      {"Connection: keep-alive",
       "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
       true},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", false},
      {"HTTP/1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
      {"Content-Length zero", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", true},
      {"POST without a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n", true},
      {"POST with a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", false},
      {"DELETE with a body", "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", false},
      {"a method nobody knows", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", true},
  };

  for (const Accepted& row : rows) check(row);
}

}  // namespace
}  // namespace weir::server
