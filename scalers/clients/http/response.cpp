// What libcurl 7.88 leaves to its user: heads of any number and up to 300 KB, statuses, encodings
// that were not requested, and the size of the body.
#include "scalers/clients/http/response.hpp"

#include "scalers/clients/http/head.hpp"
#include "scalers/text/redact.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{64} * 1024;
constexpr std::size_t kReservedBytes = std::size_t{64} * 1024;
// RFC 9110, section 15.2: any number of interim responses may come first. A server must not be able
// to send them without end.
constexpr int kMaxHeads = 17;
constexpr int kSwitchingProtocols = 101;
constexpr int kNoContent = 204;
constexpr int kFirstError = 400;
constexpr int kSuccess = 2;  // of 200 to 299, divided by 100

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Of a header Date.
std::optional<WallTime::duration> clock_ahead(std::string_view date) {
  // That of RFC 9110 has 29 bytes.
  constexpr std::size_t kMaxDateBytes = 40;
  if (date.size() > kMaxDateBytes) return std::nullopt;
  const std::time_t seconds = ::curl_getdate(std::string(date).c_str(), nullptr);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(seconds) - std::chrono::system_clock::now();
}

}  // namespace

bool ResponseReader::read_line(std::string_view line, bool is_multiplexed) {
  line_bytes_ += line.size();
  if (line_bytes_ > kMaxLineBytes)
    return reject(is_head_done_ ? "an unterminated line" : "header limit exceeded");
  if (is_head_done_) return true;  // a trailer
  if (!is_in_head_) return read_status(line, is_multiplexed);
  if (trimmed(line).empty()) return end_head();
  return read_field(line);
}

bool ResponseReader::read_status(std::string_view line, bool is_multiplexed) {
  if (++heads_ > kMaxHeads) return reject("too many interim responses");
  const auto space = line.find(' ');
  // libcurl would take the host for one that speaks HTTP/2.
  const std::string_view version = is_multiplexed ? "HTTP/" : "HTTP/1.";
  if (!line.starts_with(version) || space == std::string_view::npos) return reject("bad version");
  const std::string_view code = line.substr(space + 1, 3);
  const auto [end, failed] = std::from_chars(code.data(), code.data() + code.size(), status_);
  if (failed != std::errc{} || end != code.data() + code.size() || status_ < 100)
    return reject("bad status");
  // No request has an Upgrade header.
  if (status_ == kSwitchingProtocols) return reject("it switches to another protocol");
  is_in_head_ = true;
  is_multiplexed_ = is_multiplexed;
  is_chunked_ = false;
  length_.reset();
  return true;
}

bool ResponseReader::read_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;  // a continued line, or rejected by libcurl
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (is_same_name(name, "Content-Encoding")) {
    // Requests have Accept-Encoding: identity, so that an encoded body cannot be read.
    if (!value.empty() && !is_same_name(value, "identity")) return reject_as_compressed(value);
  } else if (is_same_name(name, "Transfer-Encoding")) {
    if (!is_same_name(value, "chunked")) return reject_as_compressed(value);
    is_chunked_ = true;
  } else if (is_same_name(name, "Content-Length")) {
    std::uint64_t length = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (failed != std::errc{} || end != value.data() + value.size())
      return reject("bad Content-Length");
    if (length_ && *length_ != length) return reject("multiple Content-Length");
    length_ = length;
  } else if (status_ >= kFirstError && is_same_name(name, "Date")) {
    clock_ahead_ = clock_ahead(value);
  }
  // RFC 9112, section 6.3: two ways to find the end of a response are an attempt to smuggle one.
  if (is_chunked_ && length_) return reject("bad Transfer-Encoding");
  return true;
}

bool ResponseReader::end_head() {
  is_in_head_ = false;
  if (status_ / 100 == 1) return true;
  is_head_done_ = true;
  if (is_stream() || !length_) return true;
  if (*length_ > request_.max_body_bytes) return reject_as_too_large();
  body_.reserve(static_cast<std::size_t>(*length_));
  return true;
}

bool ResponseReader::read_body(std::string_view piece) {
  if (is_stream()) {
    is_stopped_ = !request_.on_chunk(std::string(piece));
    return !is_stopped_;
  }
  const std::size_t size = body_.size() + piece.size();
  if (size > request_.max_body_bytes) return reject_as_too_large();
  // Reserves the maximum at once, because growing by doubling would hold old and new buffer
  // together.
  if (size > body_.capacity() && size > kReservedBytes) body_.reserve(request_.max_body_bytes);
  body_.append(piece);
  return true;
}

bool ResponseReader::is_until_close() const {
  // RFC 9112, section 6.3.
  const bool has_end = is_multiplexed_ || is_chunked_ || length_ || status_ == kNoContent;
  return is_head_done_ && status_ / 100 == kSuccess && !has_end;
}

HttpReply ResponseReader::take_reply() { return {status_, std::move(body_), clock_ahead_}; }

bool ResponseReader::is_stream() const { return request_.on_chunk && status_ / 100 == kSuccess; }

bool ResponseReader::reject(std::string_view reason) {
  problem_ = not_http(reason);
  return false;
}

bool ResponseReader::reject_as_compressed(std::string_view encoding) {
  problem_ =
      Error{Errc::bad_reply,
            "the response is compressed, although Weir did not request it; disable the compression",
            remote_text(encoding, redactions_of(request_))};
  return false;
}

bool ResponseReader::reject_as_too_large() {
  problem_ = Error{Errc::too_large,
                   fmt::format("the response is over {} KiB{}{}",
                               request_.max_body_bytes / 1024,
                               *request_.if_too_large == '\0' ? "" : "; ",
                               request_.if_too_large),
                   ""};
  return false;
}

Error not_http(std::string_view reason) {
  return {Errc::bad_reply, "the response is not HTTP", std::string(reason)};
}

}  // namespace weir::scalers::clients
