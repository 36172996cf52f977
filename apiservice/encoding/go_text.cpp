// Reimplements the parts of strconv whose output reaches clients through error messages.
#include "apiservice/encoding/go_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <optional>
#include <system_error>

namespace weir::apiservice {
namespace {

struct Rune {
  std::uint32_t code;
  std::size_t bytes;
};

// The first code point of `text`, which is not empty; nullopt when its bytes are not UTF-8.
std::optional<Rune> first_rune(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return Rune{lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return std::nullopt;

  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  // RFC 3629, section 3: overlong forms, surrogates and numbers above U+10FFFF are not UTF-8.
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kSmallest[bytes] || code > 0x10FFFF || is_surrogate) return std::nullopt;
  return Rune{code, bytes};
}

// Controls, unusual spaces, text direction marks and private use. Unlike in Go, code points that
// Unicode has not assigned are not escaped.
bool is_unprintable(std::uint32_t code) {
  const auto is_of = [code](std::uint32_t first, std::uint32_t last) {
    return first <= code && code <= last;
  };
  return is_of(0, 0x1F) || is_of(0x7F, 0xA0) || code == 0xAD || code == 0x61C || code == 0x1680 ||
         is_of(0x2000, 0x200F) || is_of(0x2028, 0x202F) || is_of(0x205F, 0x206F) ||
         code == 0x3000 || is_of(0xE000, 0xF8FF) || code == 0xFEFF;
}

std::string escaped(std::uint32_t code) {
  constexpr std::string_view kNamed = "abtnvfr";  // 0x07 to 0x0D
  if (code >= 0x07 && code <= 0x0D) return {'\\', kNamed[code - 0x07]};
  return code < 0x80 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::optional<Rune> rune = first_rune(text);
    // Go escapes each byte that is not UTF-8 on its own.
    const std::size_t bytes = rune ? rune->bytes : 1;
    if (!rune) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (is_unprintable(rune->code)) {
      out += escaped(rune->code);
    } else {
      if (text[0] == '"' || text[0] == '\\') out += '\\';
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return out += '"';
}

std::string sanitized(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

scalers::Result<std::int64_t> parse_int(std::string_view text) {
  const auto invalid = [text](std::string_view why) {
    return scalers::Error{scalers::Errc::bad_request,
                          fmt::format("strconv.ParseInt: parsing {}: {}", go_quoted(text), why),
                          ""};
  };
  // from_chars() takes no plus sign, Go does. `+-1` has to stay invalid.
  const bool has_plus = text.starts_with('+') && !text.starts_with("+-");
  const char* const end = text.data() + text.size();
  std::int64_t value = 0;
  const auto [stop, failure] = std::from_chars(text.data() + (has_plus ? 1 : 0), end, value);
  if (stop != end || failure == std::errc::invalid_argument) return invalid("invalid syntax");
  if (failure == std::errc::result_out_of_range) return invalid("value out of range");
  return value;
}

bool parse_bool(std::string_view text) {
  return text == "1" || text == "t" || text == "T" || text == "true" || text == "TRUE" ||
         text == "True";
}

}  // namespace weir::apiservice
