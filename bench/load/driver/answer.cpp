#include "bench/load/driver/answer.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <stdexcept>
#include <string>

namespace weir::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return out;
}

int status_of(std::string_view head) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  int status = 0;
  if (head.starts_with(kVersion))
    std::from_chars(head.data() + kVersion.size(), head.data() + head.size(), status);
  if (status == 0) throw std::runtime_error("the response is not HTTP/1.1");
  return status;
}

}  // namespace

std::optional<int> whole_answer(std::string_view bytes) {
  const std::size_t split = bytes.find("\r\n\r\n");
  if (split == std::string_view::npos) return std::nullopt;
  const std::string head = lower(bytes.substr(0, split + kLineEnd.size()));
  const std::string_view body = bytes.substr(split + 2 * kLineEnd.size());
  const int status = status_of(bytes);
  constexpr std::string_view kLength = "\r\ncontent-length:";
  const std::size_t at = head.find(kLength);
  if (at == std::string::npos) {
    const bool is_chunked = head.find("\r\ntransfer-encoding: chunked\r\n") != std::string::npos;
    if (!is_chunked) throw std::runtime_error("the answer has no length");
    const bool is_whole = body == "0\r\n\r\n" || body.ends_with("\r\n0\r\n\r\n");
    return is_whole ? std::optional(status) : std::nullopt;
  }
  const std::size_t digits = head.find_first_not_of(' ', at + kLength.size());
  std::size_t length = 0;
  std::from_chars(head.data() + digits, head.data() + head.size(), length);
  return body.size() >= length ? std::optional(status) : std::nullopt;
}

}  // namespace weir::bench
