// parse_head: what it takes is bounded, has one framing, and does not depend on how the bytes came.
// It takes headers as Beast's parser does. What is made of a taken request by pure code runs too.
#include "server/http/head.hpp"

#include "apiservice/auth/identity.hpp"
#include "apiservice/meta/list_options.hpp"
#include "scalers/text/utf8.hpp"
#include "test/fuzz/property.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::fuzz {
namespace {

using apiservice::Header;
using server::Head;
using server::NeedMore;
using server::Refusal;

bool has_control_bytes(std::string_view text) {
  return std::ranges::any_of(text,
                             [](unsigned char c) { return (c < ' ' && c != '\t') || c == 127; });
}

std::size_t count_of(const apiservice::Request& request, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count(request.headers, name, &Header::name));
}

void check_headers(const apiservice::Request& request) {
  require(request.headers.size() <= server::kMaxHeaders, "headers are bounded in number");
  for (const auto& [name, value] : request.headers) {
    require(!name.empty() && name.find_first_of(" \t:") == name.npos && !has_control_bytes(name),
            "a header's name is a token");
    require(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }),
            "a header's name is in lower case");
    require(!has_control_bytes(value), "a header's value holds no control bytes");
  }
  for (const std::string_view name : {"transfer-encoding", "trailer", "upgrade", "expect"})
    require(count_of(request, name) == 0, "nothing that frames a body is taken");
  require(count_of(request, "host") <= 1, "there is one Host at most");
  require(count_of(request, "content-length") <= 1, "there is one Content-Length at most");
}

void check_target(const apiservice::Request& request) {
  require(request.target.starts_with('/'), "a target starts with '/'");
  require(request.target.size() <= server::kMaxTargetBytes, "a target is bounded");
  require(request.path.starts_with('/'), "a path starts with '/'");
  require(request.path.size() <= request.target.size(), "decoding adds nothing");
  require(request.path.find('\0') == request.path.npos, "a path holds no NUL");
  require(!request.method.empty() && request.method.find_first_of(" \t") == std::string::npos,
          "a method is a word");
}

void check_body(const Head& head) {
  const std::string_view length = head.request.header("content-length");
  if (length.find_first_not_of('0') == length.npos) return;
  require(!head.is_keep_alive, "nothing is read behind a body");
  require(head.request.method != "GET" && head.request.method != "HEAD", "a read has no body");
}

void use(const apiservice::Request& request) {
  static_cast<void>(apiservice::parse_list_options(request));
  static_cast<void>(apiservice::selected_name(request));
  const std::string token = apiservice::bearer_token(request);
  require(token.find(' ') == token.npos, "a token is one word");
}

bool is_same(const Head& left, const Head& right) {
  const auto as_pairs = [](const Head& head) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [name, value] : head.request.headers) out.emplace_back(name, value);
    return out;
  };
  return left.size == right.size && left.is_keep_alive == right.is_keep_alive &&
         left.request.method == right.request.method &&
         left.request.target == right.request.target && left.request.path == right.request.path &&
         left.request.query == right.request.query && as_pairs(left) == as_pairs(right);
}

// The session asks again with every piece that comes in.
void check_pieces(std::string_view input, const Head& whole) {
  std::string so_far;
  for (const auto& piece : pieces_of(input.substr(0, whole.size), input.size())) {
    require(std::holds_alternative<NeedMore>(server::parse_head(so_far)),
            "a part of a good head is neither taken nor refused");
    so_far += view_of(piece);
  }
  const auto alone = server::parse_head(so_far);
  require(std::holds_alternative<Head>(alone) && is_same(std::get<Head>(alone), whole),
          "bytes after a head change nothing");
}

// Beast's parser is fed a part of the head; here it reads the whole one.
void check_against_beast(std::string_view input,
                         const std::variant<NeedMore, Head, Refusal>& found) {
  namespace http = boost::beast::http;
  const auto end = input.find("\r\n\r\n");
  if (end == input.npos || end + 4 > server::kMaxHeadBytes) return;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(server::kMaxHeadBytes);
  parser.body_limit(boost::none);
  boost::beast::error_code failed;
  parser.put(boost::asio::buffer(input.data(), end + 4), failed);
  const bool is_taken = !failed && parser.is_header_done();
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    require(!is_taken || refusal->reason != "the request head is malformed",
            "what Beast can read is not malformed");
    return;
  }
  require(is_taken, "what Beast cannot read is refused");
  const auto& head = std::get<Head>(found);
  // Beast's message has headers of one name side by side.
  std::map<std::string, std::vector<std::string>> ours;
  std::map<std::string, std::vector<std::string>> theirs;
  for (const auto& [name, value] : head.request.headers) ours[name].push_back(value);
  for (const auto& field : parser.get())
    theirs[scalers::lower_case(field.name_string())].emplace_back(field.value());
  require(ours == theirs, "headers are those that Beast reads");
  require(!head.is_keep_alive || parser.keep_alive(),
          "a connection is kept only where Beast keeps it");
}

}  // namespace

void run(std::string_view input) {
  const auto found = server::parse_head(input);
  check_against_beast(input, found);
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    const std::array statuses{400, 414, 431};
    require(std::ranges::find(statuses, refusal->status) != statuses.end(),
            "a refusal is 400, 414 or 431");
    require(!refusal->reason.empty(), "a refusal has a reason");
  }
  if (std::holds_alternative<NeedMore>(found))
    require(input.size() < server::kMaxHeadBytes, "waiting for more has an end");
  const auto* head = std::get_if<Head>(&found);
  if (head == nullptr) return;

  require(head->size <= input.size() && head->size <= server::kMaxHeadBytes, "a head is bounded");
  require(input.substr(0, head->size).ends_with("\r\n\r\n"), "a head ends with an empty line");
  check_headers(head->request);
  check_target(head->request);
  check_body(*head);
  check_pieces(input, *head);
  use(head->request);
}

}  // namespace weir::fuzz
