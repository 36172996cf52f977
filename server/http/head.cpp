// Parses a request head. The plain header lines are parsed here in one pass, which is faster than
// Beast; Beast parses the lines that frame the request.
#include "server/http/head.hpp"

#include "apiservice/request/target.hpp"

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

// Beast's parser of HTTP/1, fed the request line and those of the header lines that frame a
// request.
class HeadParser final : public http::basic_parser<true> {
 public:
  std::string method;
  std::string target;
  int version = 0;

 private:
  void on_request_impl(http::verb /*verb*/,
                       Text method_text,
                       Text target_text,
                       int version_number,
                       error_code& /*failed*/) override {
    method = plain(method_text);
    target = plain(target_text);
    version = version_number;
  }
  void on_field_impl(http::field /*field*/,
                     Text /*name*/,
                     Text /*value*/,
                     error_code& /*failed*/) override {}
  // Only responses, bodies and chunks have these, and Beast is given complete request heads only.
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
};

// Reserved for each request; the kube-apiserver adds about ten to those of its caller.
constexpr std::size_t kUsualHeaders = 16;
constexpr Refusal kMalformed{400, "the request head is malformed"};

// The characters of a header's name (RFC 9110, 5.6.2) in lower case; 0 for any other byte.
constexpr std::array<char, 256> kTokens = [] {
  std::array<char, 256> out{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"))
    out[static_cast<unsigned char>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c)
    out[static_cast<unsigned char>(c)] = static_cast<char>(c - 'A' + 'a');
  return out;
}();

// The headers that determine how long a request is and whether its connection stays open.
constexpr std::array<std::string_view, 5> kFraming{"connection",
                                                   "content-length",
                                                   "proxy-connection",
                                                   "transfer-encoding",
                                                   "upgrade"};

struct Fields {
  std::vector<Header> headers;
  std::string framing;  // the complete lines of the headers in kFraming
};

// The name in lower case; empty when `text` is not a token.
std::string name_of(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = kTokens[static_cast<unsigned char>(c)];
    if (c == 0) return {};
  }
  return out;
}

// Whether there is a control byte other than tab and CR LF. `lines` begins with the last byte of
// the line before.
bool has_controls(std::string_view lines) {
  std::uint8_t out = 0;  // a byte and no branch, so that the compiler vectorizes the loop
  for (std::size_t at = 1; at < lines.size(); ++at) {
    const auto c = static_cast<std::uint8_t>(lines[at]);
    const bool is_control = (c < ' ') & (c != '\t') & (c != '\r') & (c != '\n');
    const bool is_bare = (c == '\n') != (lines[at - 1] == '\r');
    out |= static_cast<std::uint8_t>(is_control | is_bare | (c == 0x7f));
  }
  return out != 0;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// `lines` are those after the request line, each with its CR LF, without other control bytes.
std::variant<Fields, Refusal> fields_of(std::string_view lines) {
  Fields out;
  out.headers.reserve(kUsualHeaders);
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\r'));
    // RFC 9112, 5.2: a server rejects or replaces a folded line. Beast accepts it.
    if (line.starts_with(' ') || line.starts_with('\t'))
      return Refusal{400, "folded headers are not accepted"};
    if (out.headers.size() == kMaxHeaders) return Refusal{431, "more than 256 headers"};
    const auto colon = std::min(line.find(':'), line.size());
    std::string name = name_of(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
    // A name with a blank before the colon is not a token either (RFC 9112, 5.1).
    if (name.empty() || colon == line.size()) return kMalformed;
    if (std::ranges::find(kFraming, name) != kFraming.end()) {
      out.framing += line;
      out.framing += "\r\n";
    }
    out.headers.push_back({std::move(name), std::string(value)});
    lines.remove_prefix(line.size() + 2);
  }
  return out;
}

struct Forbidden {
  std::string_view header;
  std::string_view reason;
};
// Beast accepts `Transfer-Encoding: identity`, and a client that sends Expect waits for a 100 that
// never comes.
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
  const auto header = std::ranges::find(headers, name, &Header::name);
  return header == headers.end() ? std::string_view{} : std::string_view(header->value);
}

std::optional<Refusal> check_framing(const std::vector<Header>& headers, int version) {
  for (const Forbidden& forbidden : kForbidden) {
    if (count_of(headers, forbidden.header) > 0) return Refusal{400, forbidden.reason};
  }
  // Two Host or Content-Length headers are how request smuggling begins (RFC 9112, 11.2).
  const std::size_t hosts = count_of(headers, "host");
  if (hosts > 1 || (hosts == 0 && version == 11)) return Refusal{400, "one Host header is needed"};
  // Beast accepts `4,4`, no Host and two of them.
  const std::size_t lengths = count_of(headers, "content-length");
  const std::string_view length = value_of(headers, "content-length");
  const bool is_number =
      std::ranges::all_of(length, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (lengths > 1 || (lengths == 1 && (length.empty() || !is_number)))
    return Refusal{400, "Content-Length is not one number"};
  return std::nullopt;
}

std::variant<NeedMore, Head, Refusal> request_of(HeadParser& parser,
                                                 std::vector<Header> headers,
                                                 std::size_t size) {
  if (const auto refusal = check_framing(headers, parser.version)) return *refusal;
  const std::string_view length = value_of(headers, "content-length");
  // A length of 0, in any number of digits, announces no bytes.
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
                  .headers = std::move(headers),
                  .peer = std::nullopt},
      .size = size,
      // The body of another method is never read, so its bytes must not be parsed as the next
      // request.
      .is_keep_alive = parser.keep_alive() && !has_body,
  };
}

}  // namespace

std::variant<NeedMore, Head, Refusal> parse_head(std::string_view bytes) {
  const auto end = bytes.substr(0, kMaxHeadBytes).find("\r\n\r\n");
  if (end == bytes.npos) {
    if (bytes.size() >= kMaxHeadBytes) return Refusal{431, "the request head is over 64 KiB"};
    // Such a client would otherwise wait for the time limit of the head.
    if (bytes.find("\n\n") != bytes.npos) return Refusal{400, "lines end with CR LF"};
    return NeedMore{};
  }
  const std::string_view head = bytes.substr(0, end + 4);
  const auto first = head.find("\r\n") + 2;
  if (first > kMaxTargetBytes + 2) return Refusal{414, "the request line is over 8 KiB"};
  // Without the empty line at the end. In a head without headers that is the line after the first.
  const auto last = std::max(first, head.size() - 2);
  if (has_controls(head.substr(first - 1, last - first + 1))) return kMalformed;
  auto fields = fields_of(head.substr(first, last - first));
  if (const auto* refusal = std::get_if<Refusal>(&fields)) return *refusal;
  auto& [headers, framing] = std::get<Fields>(fields);
  // The request line and the few framing headers, without the others that were parsed above.
  std::string framed(head.substr(0, first));
  framed += framing;
  framed += "\r\n";
  HeadParser parser;
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(boost::none);  // no body is read; the router refuses requests that have one
  boost::beast::error_code failed;
  parser.put(boost::asio::buffer(framed), failed);
  if (failed || !parser.is_header_done()) return kMalformed;
  return request_of(parser, std::move(headers), head.size());
}

}  // namespace weir::server
