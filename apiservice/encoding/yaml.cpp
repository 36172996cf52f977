// The quoting rules of YAML 1.1 and 1.2 together, because a client may use a parser of either.
#include "apiservice/encoding/yaml.hpp"

#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <iterator>

namespace weir::apiservice {
namespace {

using nlohmann::json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_all(std::string_view text, bool (*is_one)(char)) {
  return !text.empty() && std::ranges::all_of(text, is_one);
}

// Words that YAML 1.1 reads as a boolean, null, infinity, NaN, merge key or default value.
bool is_word(std::string_view text) {
  constexpr std::array<std::string_view, 16> kWords{"y",
                                                    "yes",
                                                    "true",
                                                    "on",
                                                    "n",
                                                    "no",
                                                    "false",
                                                    "off",
                                                    "~",
                                                    "null",
                                                    ".nan",
                                                    ".inf",
                                                    "+.inf",
                                                    "-.inf",
                                                    "<<",
                                                    "="};
  // An empty scalar is null. In lower case, because True and TRUE are booleans as well; quoting a
  // word like yEs without need changes nothing.
  return text.empty() || std::ranges::find(kWords, scalers::lower_case(text)) != kWords.end();
}

// Removes digits from the start; whether there were any.
bool take_digits(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

// `1`, `-1.5`, `.5e+3`, `0x1F`, `0b1`, `1_000`.
bool is_number(std::string_view scalar) {
  std::string plain(scalar);
  // YAML 1.1 allows underscores between digits.
  std::erase(plain, '_');
  std::string_view text = plain;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  // Hexadecimal digits for 0b and 0o too: needless quotes change nothing, a missing pair does.
  if (text.size() > 2 && text[0] == '0' && std::string_view("xXbBoO").find(text[1]) != text.npos)
    return is_all(text.substr(2),
                  [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
  const bool has_whole = take_digits(text);
  bool has_fraction = false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    has_fraction = take_digits(text);
  }
  if (!has_whole && !has_fraction) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return is_all(text, is_digit);
}

// `2026-11-21`, alone or followed by a time.
bool is_date(std::string_view text) {
  if (text.size() < 8 || !is_all(text.substr(0, 4), is_digit) || text[4] != '-') return false;
  text.remove_prefix(5);
  if (!take_digits(text) || !text.starts_with('-')) return false;
  text.remove_prefix(1);
  return take_digits(text) &&
         (text.empty() || std::string_view("Tt \t").find(text[0]) != text.npos);
}

// `12:30:45`, a number in YAML 1.1.
bool is_sexagesimal(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return text.find(':') != text.npos && is_digit(text[0]) &&
         is_all(text, [](char c) { return is_digit(c) || c == ':' || c == '_' || c == '.'; });
}

// Whether the text as a plain scalar would end early or start another construct.
bool has_indicator(std::string_view text) {
  // `text` is not empty, because is_word() comes first.
  constexpr std::string_view kNeverFirst = "#,[]{}&*!|>'\"%@`";
  if (kNeverFirst.find(text.front()) != text.npos) return true;
  // These begin a construct only before a blank: `-1` and `a:b` are plain.
  const bool is_alone = text.size() == 1 || text[1] == ' ';
  if (std::string_view("-?:").find(text.front()) != text.npos && is_alone) return true;
  // The three dashes and the three dots are marks of a document.
  return text.front() == ' ' || text.back() == ' ' || text.back() == ':' ||
         text.find(": ") != text.npos || text.find(" #") != text.npos || text.starts_with("---") ||
         text.starts_with("...");
}

bool is_latin_control(std::string_view rune) { return rune >= "\xc2\x80" && rune < "\xc2\xa0"; }

// Code points that YAML allows only as an escape.
std::string_view escape_of(std::string_view rune) {
  if (rune == "\xc2\x85") return "\\N";
  if (rune == "\xe2\x80\xa8") return "\\L";
  if (rune == "\xe2\x80\xa9") return "\\P";
  if (rune == "\xef\xbb\xbf") return "\\uFEFF";
  return {};
}

bool is_printable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = scalers::utf8_length(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::string_view rune = text.substr(at, length);
    const bool is_control = byte < ' ' || byte == 0x7f || (length == 2 && is_latin_control(rune));
    if (length == 0 || is_control || !escape_of(rune).empty()) return false;
    at += length;
  }
  return true;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\x1b': out += "\\e"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte < ' ' || byte == 0x7f) {
    fmt::format_to(std::back_inserter(out), "\\x{:02X}", byte);
  } else {
    out += c;
  }
}

void append_double_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(1, scalers::utf8_length(text, at));
    const std::string_view rune = text.substr(at, length);
    const std::string_view escape = escape_of(rune);
    if (!escape.empty()) {
      out += escape;
    } else if (length == 2 && is_latin_control(rune)) {
      // U+0080 to U+009F: the second byte of the UTF-8 form equals the code point.
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(rune[1]));
    } else if (length > 1) {
      out += rune;
    } else {
      append_escaped(out, rune[0]);
    }
    at += length;
  }
  out += '"';
}

void append_single_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  out += '\'';
}

void append_value(std::string& out, const json& value, std::size_t depth);

// `is_inline`: the first key follows "- " on the same line.
void append_object(std::string& out, const json& object, std::size_t depth, bool is_inline) {
  // A json object is a std::map, so its keys come sorted, as in sigs.k8s.io/yaml.
  for (bool is_first = true; const auto& [key, value] : object.items()) {
    if (!is_first || !is_inline) out.append(depth * 2, ' ');
    is_first = false;
    append_yaml_string(out, key);
    out += ':';
    append_value(out, value, depth);
  }
}

void append_list(std::string& out, const json& list, std::size_t depth) {
  for (const json& item : list) {
    out.append(depth * 2, ' ');
    out += '-';
    if (item.is_object() && !item.empty()) {
      out += ' ';
      append_object(out, item, depth + 1, true);
    } else {
      append_value(out, item, depth + 1);
    }
  }
}

void append_scalar(std::string& out, const json& value) {
  if (value.is_string()) {
    append_yaml_string(out, value.get_ref<const std::string&>());
  } else {
    out += value.dump();  // numbers, booleans, null, {} and [] are the same in YAML
  }
}

// The value after a key's colon, with the line end.
void append_value(std::string& out, const json& value, std::size_t depth) {
  if (!value.is_structured() || value.empty()) {
    out += ' ';
    append_scalar(out, value);
    out += '\n';
    return;
  }
  out += '\n';
  if (value.is_object()) {
    append_object(out, value, depth + 1, false);
  } else {
    // Not deeper than the key, as sigs.k8s.io/yaml writes lists.
    append_list(out, value, depth);
  }
}

}  // namespace

void append_yaml_string(std::string& out, std::string_view text) {
  // Double quotes where a reader would see another type or an escape is needed, single quotes where
  // only the syntax is in the way, as Go's encoder does.
  if (is_word(text) || is_number(text) || is_date(text) || is_sexagesimal(text) ||
      !is_printable(text)) {
    append_double_quoted(out, text);
  } else if (has_indicator(text)) {
    append_single_quoted(out, text);
  } else {
    out += text;
  }
}

std::string yaml_of_json(std::string_view text) {
  const json document = json::parse(text);
  std::string out;
  // Every document of this room is an object.
  append_object(out, document, 0, false);
  return out;
}

}  // namespace weir::apiservice
