// The only file that drives Beast's parser: a response comes from a server that may be broken, so
// that every size is bounded here before memory is spent.
#include "scalers/clients/http/exchange.hpp"

#include "scalers/clients/http/head.hpp"
#include "scalers/clients/net/expiry.hpp"
#include "scalers/text/redact.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::clients {
namespace {

namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using BeastText = boost::beast::string_view;

constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
constexpr std::size_t kMaxHeadBytes = std::size_t{64} * 1024;
// Of bytes that cannot be parsed yet: a head, the size of a chunk, or trailers.
constexpr std::size_t kMaxUnparsedBytes = 2 * kMaxHeadBytes;
constexpr std::size_t kReservedBytes = std::size_t{64} * 1024;
// RFC 9110, section 15.2: any number of interim responses may come first. A server must not be able
// to send them without end.
constexpr int kMaxInterim = 16;
constexpr int kFirstStatus = 100;
constexpr int kSuccess = 2;  // of 200 to 299, divided by 100

// Parses a response as it arrives. problem() or is_stopped() say why it ended early.
// Derived from basic_parser, because Beast's own parsers store the fields and throw length_error on
// a field of 64 KiB, which a server can send as a trailer.
class ReplyParser final : public http::basic_parser<false> {
 public:
  explicit ReplyParser(const HttpRequest& request) : request_(request) {
    header_limit(kMaxHeadBytes);
    body_limit(boost::none);  // take() has the limit, which does not apply to streams
    eager(true);              // parses the body together with the head
  }

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool is_interim() const { return status_ / 100 == 1; }
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }
  [[nodiscard]] HttpReply reply() { return {status_, std::move(body_)}; }

 private:
  void on_request_impl(http::verb /*verb*/,
                       BeastText /*name*/,
                       BeastText /*target*/,
                       int /*version*/,
                       ErrorCode& /*failed*/) override {}
  void on_response_impl(int code, BeastText /*text*/, int /*version*/, ErrorCode& failed) override {
    status_ = code;
    if (code < kFirstStatus) failed = http::error::bad_status;
  }
  void on_field_impl(http::field name,
                     BeastText /*text*/,
                     BeastText value,
                     ErrorCode& failed) override {
    // Requests have Accept-Encoding: identity, so that an encoded body cannot be read.
    const bool is_encoded = name == http::field::content_encoding && !value.empty() &&
                            !boost::beast::iequals(value, "identity");
    const bool is_transfer_encoded =
        name == http::field::transfer_encoding && !boost::beast::iequals(value, "chunked");
    if (!is_encoded && !is_transfer_encoded) return;
    problem_ = Error{
        Errc::bad_reply,
        "the response is compressed, although Weir did not request it; disable the compression",
        remote_text({value.data(), value.size()}, redactions_of(request_))};
    failed = http::error::bad_value;
  }
  void on_header_impl(ErrorCode& /*failed*/) override {}
  // A body with a Content-Length over the limit is rejected before it is read.
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode& failed) override {
    if (is_stream() || !length) return;
    if (*length > request_.max_body_bytes) return reject_as_too_large(failed);
    body_.reserve(static_cast<std::size_t>(*length));
  }
  std::size_t on_body_impl(BeastText body, ErrorCode& failed) override {
    take({body.data(), body.size()}, failed);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/,
                            BeastText /*extensions*/,
                            ErrorCode& /*failed*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/,
                                 BeastText body,
                                 ErrorCode& failed) override {
    take({body.data(), body.size()}, failed);
    return body.size();
  }
  void on_finish_impl(ErrorCode& /*failed*/) override {}

  [[nodiscard]] bool is_stream() const { return request_.on_chunk && status_ / 100 == kSuccess; }

  void take(std::string_view piece, ErrorCode& failed) {
    if (is_stream()) {
      is_stopped_ = !request_.on_chunk(std::string(piece));
      // Any error ends the parse; ending() asks is_stopped() first.
      if (is_stopped_) failed = http::error::end_of_stream;
      return;
    }
    const std::size_t size = body_.size() + piece.size();
    if (size > request_.max_body_bytes) return reject_as_too_large(failed);
    // Reserves the maximum at once, because growing by doubling would hold old and new buffer
    // together.
    if (size > body_.capacity() && size > kReservedBytes) body_.reserve(request_.max_body_bytes);
    body_.append(piece);
  }

  void reject_as_too_large(ErrorCode& failed) {
    problem_ = Error{Errc::too_large,
                     fmt::format("the response is over {} KiB; query fewer series",
                                 request_.max_body_bytes / 1024),
                     ""};
    failed = http::error::body_limit;
  }

  const HttpRequest& request_;
  int status_ = 0;
  std::string body_;
  bool is_stopped_ = false;
  std::optional<Error> problem_;
};

// Received bytes that are not parsed yet.
class Input {
 public:
  [[nodiscard]] char* room() { return bytes_.get() + end_; }
  [[nodiscard]] std::size_t room_bytes() const { return size_ - end_; }
  void add(std::size_t count) { end_ += count; }
  [[nodiscard]] bool is_empty() const { return begin_ == end_; }
  [[nodiscard]] boost::asio::const_buffer unparsed() const {
    return {bytes_.get() + begin_, end_ - begin_};
  }
  void consume(std::size_t count) { begin_ += count; }
  // Makes room for another read; false when too many bytes are unparsed.
  bool compact() {
    const std::size_t left = end_ - begin_;
    if (left == size_) {
      if (size_ >= kMaxUnparsedBytes) return false;
      auto larger = std::make_unique_for_overwrite<char[]>(size_ * 2);
      std::memcpy(larger.get(), bytes_.get(), left);
      bytes_ = std::move(larger);
      size_ *= 2;
    } else if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, left);
    }
    begin_ = 0;
    end_ = left;
    return true;
  }

 private:
  std::size_t size_ = kReadBytes;
  // Not zeroed, because every request would pay for 16 KiB.
  std::unique_ptr<char[]> bytes_ = std::make_unique_for_overwrite<char[]>(size_);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

Error unterminated_line() {
  return {Errc::bad_reply, "the response is not HTTP", "an unterminated line"};
}

// The final response of a request, after any interim ones (1xx).
class ResponseReader {
 public:
  explicit ResponseReader(const HttpRequest& request) : request_(request) {
    parser_.emplace(request);
  }

  // Parses what was received; the outcome, once there is one.
  std::optional<Result<HttpReply>> parse(Input& input) {
    while (true) {
      ErrorCode failed;
      if (!input.is_empty()) input.consume(parser_->put(input.unparsed(), failed));
      if (failed && failed != http::error::need_more) return ending(failed);
      if (!parser_->is_done()) {
        if (!failed && !input.is_empty()) continue;  // the head alone was parsed
        return std::nullopt;
      }
      if (!parser_->is_interim()) {
        // Bytes after the response would be taken for the next one.
        is_reusable_ = parser_->keep_alive() && input.is_empty();
        return parser_->reply();
      }
      // No request has an Upgrade header.
      if (parser_->status() == kSwitchingProtocols)
        return Error{Errc::bad_reply,
                     "the response is not HTTP",
                     "it switches to another protocol"};
      if (++interim_ > kMaxInterim)
        return Error{Errc::bad_reply, "the response is not HTTP", "too many interim responses"};
      parser_.emplace(request_);
    }
  }

  // The server has closed its side of the connection.
  Result<HttpReply> parse_end() {
    // Without Content-Length the end of the stream ends the body (RFC 9112, 6.3).
    if (!parser_->got_some() || !parser_->is_header_done())
      return Error{Errc::bad_reply, "the response is incomplete", ""};
    ErrorCode failed;
    parser_->put_eof(failed);
    if (failed) return ending(failed);
    return parser_->reply();
  }

  [[nodiscard]] bool is_reusable() const { return is_reusable_; }

 private:
  static constexpr int kSwitchingProtocols = 101;

  Result<HttpReply> ending(const ErrorCode& failed) {
    if (parser_->is_stopped()) return parser_->reply();
    if (parser_->problem()) return *parser_->problem();
    if (failed == http::error::partial_message)
      return Error{Errc::bad_reply, "the response is incomplete", ""};
    return Error{Errc::bad_reply, "the response is not HTTP", failed.message()};
  }

  const HttpRequest& request_;
  std::optional<ReplyParser> parser_;
  int interim_ = 0;
  bool is_reusable_ = false;
};

}  // namespace

awaitable<HttpExchange> exchange(Loop& loop,
                                 std::shared_ptr<Stream> stream,
                                 std::shared_ptr<const HttpRequest> request,
                                 Deadline deadline) {
  // Closing the stream ends the read or write in flight with an error.
  const Expiry expiry(loop, deadline.left(std::chrono::steady_clock::now()), [stream] {
    stream->close();
  });
  const Error no_response{Errc::timed_out, "it did not respond", ""};
  // Also by the clock: after a pause of the process the response lies in the socket, and comes
  // before the timer does.
  const auto is_late = [&expiry, deadline] {
    return expiry.has_fired() || deadline.is_past(std::chrono::steady_clock::now());
  };
  const auto written = co_await stream->write(wire_text(*request));
  if (is_late()) co_return HttpExchange{no_response};
  Input input;
  ResponseReader reader(*request);
  bool has_data = false;
  while (true) {
    if (!input.compact()) co_return HttpExchange{unterminated_line()};
    const auto size = co_await stream->read_some(input.room(), input.room_bytes());
    if (is_late()) co_return HttpExchange{no_response};
    if (!size) {
      // A server that rejects a long request may respond without reading all of it.
      const Error& lost = written || has_data ? size.error() : written.error();
      if (!has_data || !stream->is_ended()) co_return HttpExchange{lost, !has_data};
      co_return HttpExchange{reader.parse_end()};
    }
    has_data = true;
    input.add(*size);
    auto outcome = reader.parse(input);
    if (!outcome) continue;
    // After half a request the server would take the next one for the rest of it.
    co_return HttpExchange{std::move(*outcome), false, reader.is_reusable() && written};
  }
}

}  // namespace weir::scalers::clients
