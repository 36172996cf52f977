// Follows all interpretations of the message at once, because a text may itself contain what looks
// like an escape: a secret with %25 is found as it is and as %2525.
#include "scalers/text/echo.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace weir::scalers {
namespace {

// More interpretations of one text exist only in runs of blanks or backslashes.
constexpr std::size_t kMaxInterpretations = 16;
constexpr std::size_t kMaxEntityBytes = 10;
constexpr std::string_view kEscapeStarts = "%\\&+";

// An escape: its character (a blank for every control character), and its bytes.
struct Escape {
  char character;
  std::size_t size;
};

std::optional<char> character_of(std::string_view digits, int base) {
  unsigned value = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != end || value > 0xff)
    return std::nullopt;
  return value < ' ' || value == 0x7f ? ' ' : static_cast<char>(value);
}

// `prefix` bytes and then `digits` hexadecimal ones.
std::optional<Escape> hex_escape(std::string_view rest, std::size_t prefix, std::size_t digits) {
  if (rest.size() < prefix + digits) return std::nullopt;
  const auto character = character_of(rest.substr(prefix, digits), 16);
  if (!character) return std::nullopt;
  return Escape{*character, prefix + digits};
}

std::optional<Escape> backslash_escape(std::string_view rest) {
  if (rest.size() < 2) return std::nullopt;
  const char kind = rest[1];
  if (kind == 'u') return hex_escape(rest, 2, 4);
  if (kind == 'x') return hex_escape(rest, 2, 2);
  if (kind == 'n' || kind == 'r' || kind == 't') return Escape{' ', 2};
  if (kind == '"' || kind == '\\' || kind == '/' || kind == '\'') return Escape{kind, 2};
  return std::nullopt;
}

std::optional<Escape> entity(std::string_view rest) {
  static constexpr std::array<std::pair<std::string_view, char>, 6> kNames{
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}}};
  const auto end = rest.substr(0, kMaxEntityBytes).find(';');
  if (end == rest.npos) return std::nullopt;
  std::string_view name = rest.substr(1, end - 1);
  if (name.starts_with('#')) {
    const bool is_hex = name.starts_with("#x") || name.starts_with("#X");
    const auto character = character_of(name.substr(is_hex ? 2 : 1), is_hex ? 16 : 10);
    if (!character) return std::nullopt;
    return Escape{*character, end + 1};
  }
  for (const auto& [known, character] : kNames) {
    if (name == known) return Escape{character, end + 1};
  }
  return std::nullopt;
}

std::optional<Escape> escape_at(std::string_view message, std::size_t at) {
  const std::string_view rest = message.substr(at);
  switch (rest.front()) {
    case '%': return hex_escape(rest, 1, 2);
    case '\\': return backslash_escape(rest);
    case '&': return entity(rest);
    case '+': return Escape{' ', 1};
    default: return std::nullopt;
  }
}

bool is_escape_start(char c) { return kEscapeStarts.find(c) != kEscapeStarts.npos; }

// Adds where `c` ends if it is at `at`.
void add_ends(std::string_view message, std::size_t at, char c, std::vector<std::size_t>& ends) {
  if (at >= message.size()) return;
  if (message[at] == c) ends.push_back(at + 1);
  const auto escape = escape_at(message, at);
  if (escape && escape->character == c) ends.push_back(at + escape->size);
}

// In order, each once, and no more than kMaxInterpretations: those with most and with fewest
// escapes stay.
void bound(std::vector<std::size_t>& places) {
  std::ranges::sort(places);
  const auto repeated = std::ranges::unique(places);
  places.erase(repeated.begin(), repeated.end());
  if (places.size() <= kMaxInterpretations) return;
  const auto middle = places.begin() + kMaxInterpretations / 2;
  places.erase(middle, middle + static_cast<std::ptrdiff_t>(places.size() - kMaxInterpretations));
}

// Every end of a run of blanks that begins at one of `places`.
std::vector<std::size_t> ends_of_blanks(std::string_view message, std::vector<std::size_t> places) {
  std::vector<std::size_t> out;
  while (!places.empty()) {
    std::vector<std::size_t> ends;
    for (const std::size_t at : places) add_ends(message, at, ' ', ends);
    bound(ends);
    out.insert(out.end(), ends.begin(), ends.end());
    places = std::move(ends);
  }
  bound(out);
  return out;
}

Decoding decoded(const Decoding& message, std::string_view starts) {
  Decoding out;
  for (std::size_t at = 0; at < message.text.size();) {
    const bool may_be_escape = starts.find(message.text[at]) != starts.npos;
    const auto escape = may_be_escape ? escape_at(message.text, at) : std::nullopt;
    out.text += escape ? escape->character : message.text[at];
    out.places.push_back(message.places[at]);
    at += escape ? escape->size : 1;
  }
  out.places.push_back(message.places.back());
  return out;
}

// True when the message ends within what may be an escape at `at`.
bool is_cut_escape(std::string_view message, std::size_t at) {
  return at == message.size() ||
         (is_escape_start(message[at]) && message.size() - at < kMaxEntityBytes);
}

}  // namespace

Echo echo_at(std::string_view message, std::size_t at, std::string_view text) {
  Echo out;
  // At most places nothing begins.
  if (at < message.size() && message[at] != text.front()) {
    if (!is_escape_start(message[at])) return out;
    const auto escape = escape_at(message, at);
    if (!escape || escape->character != text.front()) return out;
  }
  std::size_t read = 0;
  // The plain beginning, which most texts are alone.
  while (read < text.size() && at < message.size() && text[read] == message[at] &&
         text[read] != ' ' && !is_escape_start(message[at])) {
    ++read;
    ++at;
  }
  const bool is_escaped = at < message.size() && is_escape_start(message[at]);
  if (read < text.size() && at < message.size() && text[read] != message[at] && !is_escaped)
    return out;
  std::vector<std::size_t> places{at};
  while (read < text.size() && !places.empty()) {
    for (const std::size_t place : places) {
      if (is_cut_escape(message, place)) out.cut = read;
    }
    std::vector<std::size_t> ends;
    if (text[read] == ' ') {
      ends = ends_of_blanks(message, std::move(places));
    } else {
      for (const std::size_t place : places) add_ends(message, place, text[read], ends);
      bound(ends);
    }
    places = std::move(ends);
    read = text[read] == ' ' ? std::min(text.find_first_not_of(' ', read), text.size()) : read + 1;
  }
  if (!places.empty()) out.end = places.back();
  return out;
}

std::vector<Decoding> decodings_of(std::string_view message) {
  // Without the + of a form, which is found anyway, and is a digit of base64.
  static constexpr std::string_view kAll = "%\\&";
  std::vector<Decoding> out(1);
  out.front().text = message;
  out.front().places.resize(message.size() + 1);
  std::iota(out.front().places.begin(), out.front().places.end(), std::size_t{0});
  const auto add = [&out](Decoding next) {
    if (std::ranges::find(out, next.text, &Decoding::text) == out.end())
      out.push_back(std::move(next));
  };
  if (message.find_first_of(kAll) == message.npos) return out;
  for (const char& start : kAll) add(decoded(out.front(), {&start, 1}));
  const Decoding all = decoded(out.front(), kAll);
  add(all);
  add(decoded(all, kAll));
  return out;
}

}  // namespace weir::scalers
