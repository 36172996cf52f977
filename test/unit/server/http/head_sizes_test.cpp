// The sizes of a head, its parts in the Request, and heads that come in pieces.
#include "server/http/head.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace weir::server {
namespace {

constexpr std::string_view kLine = "GET / HTTP/1.1\r\n";
constexpr std::string_view kHost = "Host: a\r\n";

// A head of exactly `size` bytes: one header is filled up.
std::string head_of_size(std::size_t size) {
  std::string out = std::string(kLine) + std::string(kHost) + "X: ";
  out.append(size - out.size() - 4, 'x');
  return out + "\r\n\r\n";
}

// A head whose request line has exactly `size` bytes without its CR LF.
std::string head_of_line_size(std::size_t size) {
  constexpr std::string_view kTail = " HTTP/1.1";
  std::string line = "GET /";
  line.append(size - line.size() - kTail.size(), 'x');
  return line + std::string(kTail) + "\r\n" + std::string(kHost) + "\r\n";
}

// A head with `count` headers, Host among them.
std::string head_of_headers(std::size_t count) {
  std::string out = std::string(kLine) + std::string(kHost);
  for (std::size_t i = 1; i < count; ++i) out += "X: y\r\n";
  return out + "\r\n";
}

void check_refused(const std::string& bytes, int status, std::string_view reason) {
  const auto parsed = parse_head(bytes);

  REQUIRE(std::holds_alternative<Refusal>(parsed));
  CHECK(std::get<Refusal>(parsed).status == status);
  CHECK(std::get<Refusal>(parsed).reason == reason);
}

TEST_CASE("S38: a head may have 64 KiB, with its empty line") {
  const std::string bytes = head_of_size(kMaxHeadBytes);
  REQUIRE(bytes.size() == 64 * 1024);

  const auto parsed = parse_head(bytes);

  REQUIRE(std::holds_alternative<Head>(parsed));
  CHECK(std::get<Head>(parsed).size == bytes.size());
}

TEST_CASE("S38: a head one byte over 64 KiB is rejected, also before its end has arrived") {
  const std::string_view reason = "the request head is over 64 KiB";

  check_refused(head_of_size(kMaxHeadBytes + 1), 431, reason);
  check_refused(head_of_size(kMaxHeadBytes + 1).substr(0, kMaxHeadBytes), 431, reason);
  check_refused(std::string(kMaxHeadBytes, 'x'), 431, reason);
  check_refused(std::string(1 << 20, 'x'), 431, reason);
}

TEST_CASE("63 KiB and 1023 bytes without an end are incomplete, not an error") {
  const auto parsed = parse_head(std::string(kMaxHeadBytes - 1, 'x'));

  CHECK(std::holds_alternative<NeedMore>(parsed));
}

TEST_CASE("S38: a request line may have 8 KiB and not a byte more") {
  const auto parsed = parse_head(head_of_line_size(kMaxTargetBytes));

  REQUIRE(std::holds_alternative<Head>(parsed));
  CHECK(std::get<Head>(parsed).request.path.size() == kMaxTargetBytes - 13);
  check_refused(head_of_line_size(kMaxTargetBytes + 1), 414, "the request line is over 8 KiB");
}

TEST_CASE("S38: 256 headers are read and 257 rejected") {
  const auto parsed = parse_head(head_of_headers(kMaxHeaders));

  REQUIRE(std::holds_alternative<Head>(parsed));
  CHECK(std::get<Head>(parsed).request.headers.size() == 256);
  check_refused(head_of_headers(kMaxHeaders + 1), 431, "more than 256 headers");
}

TEST_CASE("a header's name may fill the whole head") {
  std::string bytes = "A / HTTP/1.0\r\n";
  bytes.append(kMaxHeadBytes - bytes.size() - 5, 'n');
  bytes += ":\r\n\r\n";
  REQUIRE(bytes.size() == kMaxHeadBytes);

  const auto parsed = parse_head(bytes);

  CHECK(std::holds_alternative<Head>(parsed));
}

TEST_CASE("every part of a valid head is incomplete, and only the whole head is accepted") {
  const std::string bytes = "GET /apis?x=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";

  std::size_t waited = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto parsed = parse_head(std::string_view(bytes).substr(0, size));
    waited += std::holds_alternative<NeedMore>(parsed) ? 1U : 0U;
  }

  CHECK(waited == bytes.size());
  CHECK(std::holds_alternative<Head>(parse_head(bytes)));
}

TEST_CASE("S39: bytes after a head stay in the input") {
  const std::string head = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string tails[] = {
      "GET /b HTTP/1.1\r\nHost: b\r\nX-Remote-User: root\r\n\r\n",
      "0\r\nX-Remote-User: root\r\n\r\n",
      std::string("0\r\nX: ") + std::string(kMaxHeadBytes, 'x') + "\r\n\r\n",
      std::string("5;") + std::string(1 << 20, 'x'),
      std::string(1024, '\0'),
      "\n\n",
      "\r\n X: folded\r\n\r\n",
  };

  std::size_t untouched = 0;
  for (const std::string& tail : tails) {
    const auto parsed = parse_head(head + tail);
    const auto* taken = std::get_if<Head>(&parsed);
    const bool is_alone = taken != nullptr && taken->size == head.size() &&
                          taken->request.path == "/a" && taken->request.headers.size() == 1;
    untouched += is_alone ? 1U : 0U;
  }

  CHECK(untouched == std::size(tails));
}

TEST_CASE("S22: an escape is decoded once, and no path is normalized") {
  struct Row {
    std::string_view name;
    std::string_view target;
    std::string_view path;
  };
  const Row rows[] = {
      {"dots", "/a/%2e%2e%2fb", "/a/../b"},
      {"double encoding", "/a%252fb", "/a%2fb"},
      {"two slashes", "//a//b", "//a//b"},
      {"a semicolon", "/a;b", "/a;b"},
      {"a plus sign", "/a+b", "/a+b"},
      {"UTF-8", "/%C3%A9", "/\xc3\xa9"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto parsed =
          parse_head("GET " + std::string(row.target) + " HTTP/1.1\r\nHost: a\r\n\r\n");

      REQUIRE(std::holds_alternative<Head>(parsed));
      CHECK(std::get<Head>(parsed).request.path == row.path);
    }
  }
}

TEST_CASE("the request holds method, query and every header, names in lower case") {
  const auto parsed = parse_head(
      "get /m?labelSelector=a%3Db+c&x HTTP/1.1\r\nHost: a\r\nX-Remote-GROUP:  g 1 \t\r\n"
      "x-remote-group: g2\r\nX-Remote-Group:\r\n\r\n");

  REQUIRE(std::holds_alternative<Head>(parsed));
  const auto& request = std::get<Head>(parsed).request;
  CHECK(request.method == "get");
  CHECK(request.path == "/m");
  CHECK(request.parameter("labelSelector") == "a=b c");
  CHECK(request.has_parameter("x"));
  CHECK_FALSE(request.peer.has_value());
  REQUIRE(request.headers.size() == 4);
  CHECK(request.headers[1].name == "x-remote-group");
  CHECK(request.headers[1].value == "g 1");
  CHECK(request.headers[2].value == "g2");
  CHECK(request.headers[3].value.empty());
}

TEST_CASE("S36: a long body of another method still gives a head, so that the response is 405") {
  const auto parsed = parse_head("POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n");

  REQUIRE(std::holds_alternative<Head>(parsed));
  CHECK(std::get<Head>(parsed).request.method == "POST");
  CHECK_FALSE(std::get<Head>(parsed).is_keep_alive);
}

}  // namespace
}  // namespace weir::server
