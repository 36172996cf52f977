// Written by hand, because a metric read appends to one string without building a document tree.
#include "apiservice/encoding/json.hpp"

#include "scalers/text/utf8.hpp"

#include <array>
#include <cstdint>

namespace weir::apiservice {
namespace {

constexpr std::string_view kReplacement = "\\ufffd";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

void append_escaped(std::string& out, std::uint8_t c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    // Go has the short form of \b and \f since 1.22.
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[c >> 4U];
  out += kHex[c & 0xfU];
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Removes the string at the start of `rest`, with its quotes, and returns it.
std::string_view take_string(std::string_view& rest) {
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  const std::string_view out = rest.substr(0, end + 1);
  rest.remove_prefix(out.size());
  return out;
}

void append_line(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(depth * 2, ' ');
}

bool is_plain(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte >= ' ' && byte < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    // Most texts are plain from end to end, so runs are appended whole.
    const std::size_t start = at;
    while (at < text.size() && is_plain(text[at])) ++at;
    out += text.substr(start, at - start);
    if (at == text.size()) break;
    const std::size_t length = scalers::utf8_length(text, at);
    const std::string_view sequence = text.substr(at, length);
    if (length == 0) {
      out += kReplacement;
    } else if (length == 1) {
      append_escaped(out, byte_at(text, at));
    } else if (sequence == "\xe2\x80\xa8" || sequence == "\xe2\x80\xa9") {
      // Valid in JSON, but line ends in older JavaScript: Go escapes them, as it does <, > and &.
      out += sequence.back() == '\xa8' ? "\\u2028" : "\\u2029";
    } else {
      out += sequence;
    }
    at += length == 0 ? 1 : length;
  }
  out += '"';
}

std::string indented_json(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool is_first = false;  // directly after an opening bracket
  while (!json.empty()) {
    const char c = json.front();
    const bool is_closing = c == '}' || c == ']';
    // This also drops the line end of the document.
    if (is_blank(c)) {
      json.remove_prefix(1);
      continue;
    }
    if (is_closing) --depth;
    // A line begins after an opening and before a closing bracket, but not between the two: an
    // empty object stays {}.
    if (is_first != is_closing) append_line(out, depth);
    is_first = c == '{' || c == '[';
    if (c == '"') {
      out += take_string(json);
      continue;
    }
    json.remove_prefix(1);
    out += c;
    if (is_first) ++depth;
    if (c == ',') append_line(out, depth);
    if (c == ':') out += ' ';
  }
  return out;
}

void append_labels(std::string& out, const scalers::Labels& labels) {
  out += '{';
  // Labels are a sorted map, and Go's encoder sorts the keys of a map.
  for (bool is_first = true; const auto& [name, value] : labels) {
    if (!is_first) out += ',';
    is_first = false;
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
  out += '}';
}

}  // namespace weir::apiservice
