// Not by yaml-cpp's emitter, which quotes neither "1500m" nor "2026-11-30", so that another parser
// could read them as something else than text.
#include "server/yaml/from_json.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace weir::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 9> kWords =
    {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Text that no parser of YAML takes for a number, a time, a truth value or a piece of syntax.
bool is_plain(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return false;
  std::string lower;
  for (const char c : text) {
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.' && c != '/')
      return false;
    lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return std::ranges::find(kWords, lower) == kWords.end();
}

std::string scalar(const Json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  // A string of JSON is one of YAML in double quotes; {} and [] are the same in both.
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

void append(std::string& out, const Json& value, std::size_t indent);

void append_map(std::string& out, const Json& value, std::size_t indent, bool starts_in_line) {
  for (const auto& [key, member] : value.items()) {
    if (!starts_in_line) out.append(indent, ' ');
    starts_in_line = false;
    out += scalar(Json(key)) + ':';
    if (!is_block(member)) {
      out += ' ' + scalar(member) + '\n';
      continue;
    }
    out += '\n';
    // A list is at the column of its key, as kubectl prints it.
    append(out, member, member.is_array() ? indent : indent + 2);
  }
}

void append_list(std::string& out, const Json& value, std::size_t indent) {
  for (const Json& entry : value) {
    out.append(indent, ' ');
    out += '-';
    if (entry.is_object() && !entry.empty()) {
      out += ' ';
      append_map(out, entry, indent + 2, true);
    } else if (is_block(entry)) {
      out += '\n';
      append(out, entry, indent + 2);
    } else {
      out += ' ' + scalar(entry) + '\n';
    }
  }
}

void append(std::string& out, const Json& value, std::size_t indent) {
  if (value.is_array()) {
    append_list(out, value, indent);
  } else {
    append_map(out, value, indent, false);
  }
}

}  // namespace

std::string yaml_text(const Json& value) {
  std::string out;
  if (is_block(value)) {
    append(out, value, 0);
  } else {
    out = scalar(value) + '\n';
  }
  return out;
}

}  // namespace weir::server
