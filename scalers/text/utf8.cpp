// Byte by byte and without the locale, so that results are the same on every machine.
#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace weir::scalers {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_tail(std::string_view text, std::size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xc0) == 0x80;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

int compare_ignoring_case(std::string_view left, std::string_view right) {
  const std::size_t common = std::min(left.size(), right.size());
  for (std::size_t at = 0; at < common; ++at) {
    if (left[at] == right[at]) continue;
    const int difference =
        static_cast<std::uint8_t>(lower(left[at])) - static_cast<std::uint8_t>(lower(right[at]));
    if (difference != 0) return difference;
  }
  if (left.size() == right.size()) return 0;
  return left.size() < right.size() ? -1 : 1;
}

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const std::uint8_t lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  // RFC 3629, section 4: 0xc0 and 0xc1 begin overlong forms only, bytes above 0xf4 nothing at all.
  if (lead < 0xc2 || lead > 0xf4 || !is_tail(text, at + 1)) return 0;
  const std::uint8_t second = byte_at(text, at + 1);
  if (lead < 0xe0) return 2;
  if (!is_tail(text, at + 2)) return 0;
  if (lead < 0xf0) {
    // Overlong forms, and the surrogates U+D800 to U+DFFF.
    const bool is_bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f);
    return is_bad ? 0 : 3;
  }
  const bool is_bad =
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) || !is_tail(text, at + 3);
  return is_bad ? 0 : 4;
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - 3;
  while (end > 0 && is_tail(text, end)) --end;
  text.resize(end);
  return text + "...";
}

std::size_t printable_length(std::string_view text, std::size_t at) {
  const std::size_t length = utf8_length(text, at);
  if (length == 1 && (byte_at(text, at) < ' ' || byte_at(text, at) == 0x7f)) return 0;
  // U+0080 to U+009F: U+009B starts a terminal command like ESC [.
  const bool is_high_control =
      length == 2 && byte_at(text, at) == 0xc2 && byte_at(text, at + 1) < 0xa0;
  return is_high_control ? 0 : length;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = printable_length(text, at);
    out += length > 0 ? text.substr(at, length) : std::string_view(" ");
    at += std::max({length, utf8_length(text, at), std::size_t{1}});
  }
  return out;
}

}  // namespace weir::scalers
