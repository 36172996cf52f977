#include "server/session_head.hpp"

#include "apiservice/target.hpp"
#include "scalers/text.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace weir::server {
namespace {

namespace http = boost::beast::http;
using apiservice::Header;
using boost::beast::error_code;
using Text = boost::beast::string_view;

std::string_view plain(Text text) { return {text.data(), text.size()}; }

// Beast's parser of HTTP/1, which keeps what it reads as a Request has it: its own message would be
// a tree of allocations that is copied once more.
class HeadParser final : public http::basic_parser<true> {
 public:
  std::string method;
  std::string target;
  int version = 0;
  std::vector<Header> headers;

 private:
  void on_request_impl(http::verb /*verb*/,
                       Text method_text,
                       Text target_text,
                       int version_number,
                       error_code& /*failed*/) override {
    method = plain(method_text);
    target = plain(target_text);
    version = version_number;
    headers.reserve(kUsualHeaders);
  }
  void on_field_impl(http::field /*field*/,
                     Text name,
                     Text value,
                     error_code& /*failed*/) override {
    headers.push_back({scalers::lower_case(plain(name)), std::string(plain(value))});
  }
  // What only responses, bodies and chunks have: whole heads alone are fed.
  void on_response_impl(int /*status*/,
                        Text /*reason*/,
                        int /*version*/,
                        error_code& /*failed*/) override {}
  void on_header_impl(error_code& failed) override { failed = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         error_code& failed) override {
    failed = {};
  }
  std::size_t on_body_impl(Text /*body*/, error_code& failed) override {
    failed = http::error::unexpected_body;
    return 0;
  }
  void on_chunk_header_impl(std::uint64_t /*size*/,
                            Text /*extensions*/,
                            error_code& failed) override {
    failed = http::error::unexpected_body;
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/,
                                 Text /*body*/,
                                 error_code& failed) override {
    failed = http::error::unexpected_body;
    return 0;
  }
  void on_finish_impl(error_code& failed) override { failed = {}; }

  static constexpr std::size_t kUsualHeaders = 16;
};

struct Forbidden {
  std::string_view header;
  std::string_view why;
};
constexpr std::array<Forbidden, 4> kForbidden{{
    {"transfer-encoding", "Transfer-Encoding is not accepted: no request here has a body"},
    {"trailer", "Trailer is not accepted: no request here has a body"},
    {"upgrade", "Upgrade is not accepted"},
    {"expect", "Expect is not accepted"},
}};

std::size_t count_of(const std::vector<Header>& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count(headers, name, &Header::name));
}

std::string_view value_of(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &Header::name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->value);
}

std::optional<Refusal> check_framing(const HeadParser& parser) {
  const std::vector<Header>& headers = parser.headers;
  for (const Forbidden& forbidden : kForbidden) {
    if (count_of(headers, forbidden.header) > 0) return Refusal{400, forbidden.why};
  }
  const std::size_t hosts = count_of(headers, "host");
  if (hosts > 1 || (hosts == 0 && parser.version == 11))
    return Refusal{400, "one Host header is needed"};
  const std::size_t lengths = count_of(headers, "content-length");
  const std::string_view length = value_of(headers, "content-length");
  const bool is_number =
      std::ranges::all_of(length, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (lengths > 1 || (lengths == 1 && (length.empty() || !is_number)))
    return Refusal{400, "Content-Length is not one number"};
  return std::nullopt;
}

// What can be told before the parser sees anything.
std::optional<Refusal> check_bytes(std::string_view head) {
  if (head.find("\r\n ") != head.npos || head.find("\r\n\t") != head.npos)
    return Refusal{400, "folded headers are not accepted"};
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.size() > kMaxTargetBytes) return Refusal{414, "the request line is over 8 KiB"};
  if (static_cast<std::size_t>(std::ranges::count(head, '\n')) > kMaxHeaders + 2)
    return Refusal{431, "more than 256 headers"};
  return std::nullopt;
}

std::variant<NeedMore, Head, Refusal> request_of(HeadParser& parser, std::size_t size) {
  if (const auto refusal = check_framing(parser)) return *refusal;
  const std::string_view length = value_of(parser.headers, "content-length");
  const bool has_body = length.find_first_not_of('0') != length.npos;
  if (has_body && (parser.method == "GET" || parser.method == "HEAD"))
    return Refusal{400, "a body is not accepted"};
  auto target = apiservice::parse_target(parser.target);
  if (!target) return Refusal{400, "the request target is not a path and a query, percent-encoded"};
  return Head{
      .request = {.method = std::move(parser.method),
                  .target = std::move(parser.target),
                  .path = std::move(target->path),
                  .query = std::move(target->query),
                  .headers = std::move(parser.headers),
                  .peer = std::nullopt},
      .size = size,
      .is_keep_alive = parser.keep_alive() && !has_body,
  };
}

}  // namespace

std::variant<NeedMore, Head, Refusal> parse_head(std::string_view bytes) {
  const auto end = bytes.substr(0, kMaxHeadBytes).find("\r\n\r\n");
  if (end == bytes.npos) {
    if (bytes.size() >= kMaxHeadBytes) return Refusal{431, "the request head is over 64 KiB"};
    if (bytes.find("\n\n") != bytes.npos) return Refusal{400, "lines end with CR LF"};
    return NeedMore{};
  }
  const std::string_view head = bytes.substr(0, end + 4);
  if (const auto refusal = check_bytes(head)) return *refusal;
  HeadParser parser;
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(boost::none);  // no body is read: a long one is the router's to refuse
  boost::beast::error_code failed;
  parser.put(boost::asio::buffer(head.data(), head.size()), failed);
  if (failed || !parser.is_header_done()) return Refusal{400, "the request head is malformed"};
  return request_of(parser, head.size());
}

}  // namespace weir::server
