#include "apiservice/json_text.hpp"

#include <array>
#include <cstdint>

namespace weir::apiservice {
namespace {

constexpr std::string_view kReplacement = "\\ufffd";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_tail(std::string_view text, std::size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xc0) == 0x80;
}

// Length of the well-formed UTF-8 sequence at `at` (no overlong form, no surrogate, at most
// U+10FFFF), or 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const std::uint8_t lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4 || !is_tail(text, at + 1)) return 0;
  const std::uint8_t second = byte_at(text, at + 1);
  if (lead < 0xe0) return 2;
  if (!is_tail(text, at + 2)) return 0;
  if (lead < 0xf0) {
    const bool is_bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f);
    return is_bad ? 0 : 3;
  }
  const bool is_bad =
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) || !is_tail(text, at + 3);
  return is_bad ? 0 : 4;
}

void append_escaped(std::string& out, std::uint8_t c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[c >> 4U];
  out += kHex[c & 0xfU];
}

bool is_plain(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte >= ' ' && byte < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    while (at < text.size() && is_plain(text[at])) ++at;
    out += text.substr(start, at - start);
    if (at == text.size()) break;
    const std::size_t length = sequence_length(text, at);
    const std::string_view sequence = text.substr(at, length);
    if (length == 0) {
      out += kReplacement;
    } else if (length == 1) {
      append_escaped(out, byte_at(text, at));
    } else if (sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9") {
      out += sequence.back() == '\xa8' ? "\\u2028" : "\\u2029";
    } else {
      out += sequence;
    }
    at += length == 0 ? 1 : length;
  }
  out += '"';
}

}  // namespace weir::apiservice
