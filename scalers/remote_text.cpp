#include "scalers/remote_text.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weir::scalers {
namespace {

constexpr std::size_t kMaxShownBytes = 300;
// What is worked on at all: a remote may send a megabyte of error text.
constexpr std::size_t kMaxReadBytes = 8192;
constexpr std::string_view kHidden = "[hidden]";
// Stands for kHidden while texts are searched for, so that none is found inside it.
constexpr char kMark = '\x01';

void hide(std::string& text, std::string_view secret) {
  for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 1)) {
    text.replace(at, secret.size(), 1, kMark);
  }
}

// Length of the valid UTF-8 sequence at `at`, or 0. Overlong forms and surrogates pass: nothing
// here decodes them.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  const std::size_t length = lead < 0x80                     ? 1
                             : (lead >= 0xc2 && lead < 0xe0) ? 2
                             : (lead >= 0xe0 && lead < 0xf0) ? 3
                             : (lead >= 0xf0 && lead < 0xf5) ? 4
                                                             : 0;
  if (length == 0 || at + length > text.size()) return 0;
  const auto tail = text.substr(at + 1, length - 1);
  return std::ranges::all_of(tail,
                             [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80; })
             ? length
             : 0;
}

std::string one_printable_line(std::string_view raw) {
  std::string out;
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t length = sequence_length(raw, at);
    const bool is_control = length == 1 && (raw[at] < ' ' || raw[at] == 0x7f);
    if (length == 0 || is_control) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += raw.substr(at, length);
    }
    at += std::max<std::size_t>(1, length);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

void hide_addresses(std::string& text) {
  // Compiled at each call: remote errors are rare, and nothing static with a constructor exists
  // here.
  static constexpr std::string_view kPatterns[] = {
      R"([a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'/?#]+)",                // a url's scheme and authority
      R"(\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b)",  // IPv4
      R"(\[[0-9a-fA-F:.%]*:[0-9a-fA-F:.%]*\](?::\d{1,5})?)",     // IPv6 in brackets
      R"(\b[a-zA-Z][a-zA-Z0-9.-]*:\d{3,5}\b)",                   // a name and its port
      R"((?i)\bport[ =:]+\d{1,5}\b)",                            // a port alone
      R"(lookup [a-zA-Z0-9.-]+)",                                // Go's resolver naming the host
  };
  for (const std::string_view pattern : kPatterns) {
    RE2::GlobalReplace(&text,
                       RE2(re2::StringPiece(pattern.data(), pattern.size())),
                       re2::StringPiece(&kMark, 1));
  }
}

std::string shown_marks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == kMark) {
      out += kHidden;
    } else {
      out += c;
    }
  }
  return out;
}

// As Go prints a text inside quotes: a remote may echo the query so.
std::string quoted_form(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> forms_of(std::span<const std::string> hidden) {
  std::vector<std::string> out;
  for (const std::string& secret : hidden) {
    out.push_back(one_printable_line(secret));
    out.push_back(one_printable_line(quoted_form(secret)));
  }
  std::erase(out, "");
  std::ranges::sort(out, std::ranges::greater{}, &std::string::size);
  return out;
}

// A text that was cut off may end with the beginning of a hidden one.
void drop_cut_form(std::string& text, std::span<const std::string> forms) {
  constexpr std::size_t kTelling = 4;
  std::size_t longest = 0;
  for (const std::string& form : forms) {
    std::size_t size = std::min(form.size(), text.size());
    while (size >= kTelling && !text.ends_with(std::string_view(form).substr(0, size))) --size;
    if (size >= kTelling) longest = std::max(longest, size);
  }
  text.resize(text.size() - longest);
}

}  // namespace

std::string remote_text(std::string_view raw, std::span<const std::string> hidden) {
  std::string text = one_printable_line(raw.substr(0, kMaxReadBytes));
  const auto forms = forms_of(hidden);
  for (const std::string& form : forms) hide(text, form);
  if (raw.size() > kMaxReadBytes) drop_cut_form(text, forms);
  hide_addresses(text);
  text = shown_marks(text);
  if (text.size() <= kMaxShownBytes) return text;
  std::size_t end = kMaxShownBytes - 3;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace weir::scalers
