// One pass over the bytes. Brackets matter: [5m:1m] has no name with a colon, and {inf="x"} has a
// label.
#include "scalers/promql/lexer.hpp"

#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace weir::scalers::promql {
namespace {

// The functions of <cctype> depend on the locale.
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

bool is_number_word(std::string_view name) {
  return equal_ignoring_case(name, "inf") || equal_ignoring_case(name, "nan");
}

// Two bytes that are one symbol; "$$(" is apart, because it has three.
constexpr std::array<std::string_view, 6> kPairs{{"==", "!=", "=~", "!~", "<=", ">="}};

class Lexer {
 public:
  explicit Lexer(std::string_view query) : rest_(query) {}

  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

  Token next() {
    const char c = rest_.front();
    if (is_blank(c)) return take(TokenKind::blank, length_while(is_blank));
    if (c == '#') return take(TokenKind::comment, rest_.find('\n'));
    if (is_quote(c)) return take_string();
    if (rest_.starts_with("$(")) return take_parameter();
    if (is_digit(c) || (c == '.' && is_digit(at(1)))) return take_number();
    if (name_part(0) != 0) return take_name();
    return take_symbol();
  }

 private:
  [[nodiscard]] char at(std::size_t i) const { return i < rest_.size() ? rest_[i] : '\0'; }

  Token take(TokenKind kind, std::size_t length, bool is_complete = true) {
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(text.size());
    return {kind, text, is_complete};
  }

  std::size_t length_while(bool (*is_part)(char)) const {
    return static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_part) - rest_.begin());
  }

  Token take_string() {
    const char quote = rest_.front();
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) return take(TokenKind::string, i + 1);
      // A raw string has no escapes.
      if (rest_[i] == '\\' && quote != '`') ++i;
    }
    return take(TokenKind::string, rest_.size(), false);
  }

  Token take_parameter() {
    const auto close = rest_.find(')');
    if (close == rest_.npos) return take(TokenKind::parameter, rest_.size(), false);
    return take(TokenKind::parameter, close + 1);
  }

  Token take_number() {
    const bool is_hexadecimal = at(0) == '0' && (at(1) == 'x' || at(1) == 'X');
    bool is_decimal = !is_hexadecimal;  // so far: digits and points alone
    std::size_t i = 0;
    while (is_digit(at(i)) || is_letter(at(i)) || at(i) == '.') {
      const bool is_exponent = is_decimal && (at(i) == 'e' || at(i) == 'E') && has_sign(i + 1);
      is_decimal = is_decimal && !is_letter(at(i));
      i += is_exponent ? 2 : 1;
    }
    return take(TokenKind::number, i);
  }
  [[nodiscard]] bool has_sign(std::size_t i) const {
    return (at(i) == '-' || at(i) == '+') && is_digit(at(i + 1));
  }

  // How many bytes of a name are at `i`; 0: none.
  [[nodiscard]] std::size_t name_part(std::size_t i) const {
    const char c = at(i);
    if (is_letter(c) || (i > 0 && is_digit(c))) return 1;
    // The colon of a subquery begins no name.
    if (c == ':') return is_in_range_ ? 0 : 1;
    // MetricsQL's escapes, and its letters of other alphabets.
    if (c == '\\') return i + 1 < rest_.size() && !is_blank(rest_[i + 1]) ? 2 : 0;
    return static_cast<unsigned char>(c) >= 0x80 ? 1 : 0;
  }

  Token take_name() {
    std::size_t length = 0;
    while (const std::size_t part = name_part(length)) length += part;
    const std::string_view name = rest_.substr(0, length);
    const bool is_number = braces_ == 0 && is_number_word(name);
    return take(is_number ? TokenKind::number : TokenKind::name, length);
  }

  Token take_symbol() {
    if (rest_.starts_with("$$(")) return take(TokenKind::symbol, 3);
    if (std::ranges::find(kPairs, rest_.substr(0, 2)) != kPairs.end())
      return take(TokenKind::symbol, 2);
    const char c = rest_.front();
    if (c == '{') ++braces_;
    if (c == '}' && braces_ > 0) --braces_;
    if (c == '[' || c == ']') is_in_range_ = c == '[';
    return take(TokenKind::symbol, 1);
  }

  std::string_view rest_;
  std::size_t braces_ = 0;
  bool is_in_range_ = false;
};

// A backslash and what belongs to it, at the start of `text`.
class Escape {
 public:
  // The bytes that the escape means; nullopt: it is none of Go's. Removes it from `text`.
  static std::optional<std::string> take(std::string_view& text, char quote) {
    const char c = text.size() < 2 ? '\0' : text[1];
    constexpr std::string_view kLetters = "abfnrtv\\";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    const auto letter = kLetters.find(c);
    if (c != '\0' && (letter != kLetters.npos || c == quote)) {
      text.remove_prefix(2);
      return std::string(1, letter == kLetters.npos ? c : kMeanings[letter]);
    }
    if (c >= '0' && c <= '7') return take_code(text, 1, 3, 8);
    if (c == 'x') return take_code(text, 2, 2, 16);
    if (c == 'u') return take_code(text, 2, 4, 16);
    if (c == 'U') return take_code(text, 2, 8, 16);
    return std::nullopt;
  }

 private:
  static std::optional<std::string> take_code(std::string_view& text,
                                              std::size_t start,
                                              std::size_t digits,
                                              unsigned base) {
    if (text.size() < start + digits) return std::nullopt;
    std::uint64_t code = 0;
    for (const char c : text.substr(start, digits)) {
      const auto digit = std::string_view("0123456789abcdef")
                             .find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit >= base) return std::nullopt;
      code = code * base + digit;
    }
    text.remove_prefix(start + digits);
    if (digits < 4) {
      if (code > 0xFF) return std::nullopt;
      return std::string(1, static_cast<char>(code));
    }
    return utf8_of(code);
  }

  static std::optional<std::string> utf8_of(std::uint64_t code) {
    const auto tail = [code](unsigned shift) {
      return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
    };
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    if (code < 0x800) return std::string{static_cast<char>(0xC0 | (code >> 6)), tail(0)};
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
    if (code < 0x10000)
      return std::string{static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
    return std::string{static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0)};
  }
};

bool is_plain_name(std::string_view name, bool may_have_colon) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [may_have_colon](char c) {
           return is_letter(c) || is_digit(c) || (may_have_colon && c == ':');
         });
}

}  // namespace

std::vector<Token> all_tokens(std::string_view query) {
  std::vector<Token> out;
  Lexer lexer(query);
  while (!lexer.is_at_end()) out.push_back(lexer.next());
  return out;
}

std::vector<Token> tokens_of(std::string_view query) {
  std::vector<Token> out = all_tokens(query);
  std::erase_if(out, [](const Token& token) {
    return token.kind == TokenKind::blank || token.kind == TokenKind::comment;
  });
  return out;
}

std::optional<std::string> unquoted(const Token& string) {
  if (string.kind != TokenKind::string || !string.is_complete) return std::nullopt;
  const char quote = string.text.front();
  std::string_view rest = string.text.substr(1, string.text.size() - 2);
  if (quote == '`') return std::string(rest);
  std::string out;
  while (!rest.empty()) {
    const auto escape = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, escape);
    rest.remove_prefix(escape);
    if (rest.empty()) break;
    const auto meaning = Escape::take(rest, quote);
    if (!meaning) return std::nullopt;
    out += *meaning;
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    // A string in double quotes must not contain a line end.
    if (c == '\n') out += "\\n";
    if (c != '\n') out += c;
  }
  return out + '"';
}

bool is_metric_name(std::string_view name) {
  return is_plain_name(name, true) && !is_number_word(name);
}
bool is_label_name(std::string_view name) { return is_plain_name(name, false); }

}  // namespace weir::scalers::promql
