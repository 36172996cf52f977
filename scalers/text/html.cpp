// Finds the title of a page, or its text. Apart from the readers of replies, because any HTTP
// server may have a proxy in front of it.
#include "scalers/text/html.hpp"

#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace weir::scalers {
namespace {

constexpr std::size_t kMaxReadBytes = 8192;
constexpr std::string_view kBlanks = " \t\r\n\f\v";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kComment = "<!--";

// After the '>' of the tag with its attributes from `at`, or npos. A value in quotes may contain
// a '>'.
std::size_t end_of_tag(std::string_view lower, std::size_t at) {
  for (auto next = lower.find_first_of("\"'>", at); next != lower.npos;) {
    if (lower[next] == '>') return next + 1;
    // Other quotes are part of a name, or of a value without quotes.
    const auto before = lower.find_last_not_of(kBlanks, next - 1);
    const bool is_value = before != lower.npos && before >= at && lower[before] == '=';
    const auto close = is_value ? lower.find(lower[next], next + 1) : next;
    if (close == lower.npos) break;
    next = lower.find_first_of("\"'>", close + 1);
  }
  const auto end = lower.find('>', at);
  return end == lower.npos ? end : end + 1;
}

// The element `name` at `at`, where `lower` has its '<': the end of its start tag, or npos.
std::size_t end_of_start_tag(std::string_view lower, std::size_t at, std::string_view name) {
  if (!lower.substr(at + 1).starts_with(name)) return lower.npos;
  const auto after = at + 1 + name.size();
  // Otherwise "<head" would be found in "<header>".
  if (after < lower.size() &&
      (kBlanks.find(lower[after]) != kBlanks.npos || lower[after] == '>' || lower[after] == '/')) {
    return end_of_tag(lower, after);
  }
  return lower.npos;
}

// After the comment that begins `text`. "<!-->" is one, too.
std::size_t end_of_comment(std::string_view text) {
  const auto end = text.find("-->", 2);
  return end == text.npos ? text.size() : end + 3;
}

// `page` from `at`, where a '<' is, to after what is not text: the tag, and what browsers do not
// show of the element. `at` itself when it is a < of the text.
std::size_t after_markup(std::string_view lower, std::size_t at) {
  const std::string_view rest = lower.substr(at);
  const char next = rest.size() > 1 ? rest[1] : '\0';
  const bool is_markup = (next >= 'a' && next <= 'z') || next == '/' || next == '!' || next == '?';
  if (!is_markup) return at;
  if (rest.starts_with(kComment)) return at + end_of_comment(rest);
  for (const std::string_view name : {"script", "style"}) {
    const auto begin = end_of_start_tag(lower, at, name);
    if (begin == lower.npos) continue;
    const auto end = lower.find(std::string("</") + std::string(name), begin);
    if (end == lower.npos) return lower.size();
    at = end;
    break;
  }
  return std::min(end_of_tag(lower, at + 1), lower.size());
}

// What is between the tags of the first element `name`; nullopt when there is none.
std::optional<std::string_view> element(std::string_view page,
                                        std::string_view lower,
                                        std::string_view name) {
  std::size_t next = 0;
  for (auto at = lower.find('<'); at != lower.npos; at = lower.find('<', next)) {
    const auto begin = end_of_start_tag(lower, at, name);
    // A comment or script may contain tags.
    next = begin == lower.npos ? std::max(after_markup(lower, at), at + 1) : begin;
    if (begin == lower.npos) continue;
    const auto end = lower.find("</", begin);
    return page.substr(begin, std::min(end, page.size()) - begin);
  }
  return std::nullopt;
}

// The text of `page` with a space for each tag, because words of neighbouring elements are apart.
std::string without_tags(std::string_view page, std::string_view lower) {
  std::string out;
  for (std::size_t at = 0; at < page.size();) {
    const auto after = page[at] == '<' ? after_markup(lower, at) : at;
    if (after == at) {
      out += page[at++];
      continue;
    }
    out += ' ';
    at = after;
  }
  return out;
}

// The entities that occur in messages; others stay as they are.
std::string decoded(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 10> kEntities{{{"&lt;", '<'},
                                                                                {"&gt;", '>'},
                                                                                {"&quot;", '"'},
                                                                                {"&#34;", '"'},
                                                                                {"&#39;", '\''},
                                                                                {"&#x27;", '\''},
                                                                                {"&apos;", '\''},
                                                                                {"&nbsp;", ' '},
                                                                                {"&#160;", ' '},
                                                                                {"&amp;", '&'}}};
  std::string out;
  while (!text.empty()) {
    const auto entity = std::ranges::find_if(kEntities, [&](const auto& one) {
      return text.starts_with(one.first);
    });
    const bool is_entity = entity != kEntities.end();
    out += is_entity ? entity->second : text.front();
    text.remove_prefix(is_entity ? entity->first.size() : 1);
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_blank = kBlanks.find(c) != kBlanks.npos;
    if (!is_blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

// Many pages begin without <html>.
bool is_page(std::string_view lower) {
  static constexpr std::array<std::string_view, 11> kStarts{"<!doctype",
                                                            "<html",
                                                            "<head",
                                                            "<body",
                                                            "<title",
                                                            "<meta",
                                                            "<center",
                                                            "<div",
                                                            "<h1",
                                                            "<h2",
                                                            "<p>"};
  return std::ranges::any_of(kStarts,
                             [&](std::string_view start) { return lower.starts_with(start); });
}

// What is in front of a page: its bytes, and whether markup is among them, which no text has there.
struct Prologue {
  std::size_t size = 0;
  bool is_markup = false;
};

Prologue prologue_of(std::string_view body) {
  Prologue out;
  while (out.size < body.size()) {
    const std::string_view rest = body.substr(out.size);
    if (rest.starts_with(kByteOrderMark)) {
      out.size += kByteOrderMark.size();
    } else if (kBlanks.find(rest.front()) != kBlanks.npos) {
      out.size += std::min(rest.find_first_not_of(kBlanks), rest.size());
    } else if (rest.starts_with(kComment)) {
      out.size += end_of_comment(rest);
      out.is_markup = true;
    } else if (rest.starts_with("<?xml")) {
      out.size += std::min(end_of_tag(rest, 1), rest.size());
      out.is_markup = true;
    } else {
      break;
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> page_words(std::string_view body) {
  const Prologue prologue = prologue_of(body);
  const std::string_view page = body.substr(prologue.size, kMaxReadBytes);
  const std::string lower = lower_case(page);
  if (!prologue.is_markup && !is_page(lower)) return std::nullopt;
  if (const auto title = element(page, lower, "title")) {
    std::string words = one_line(decoded(*title));
    if (!words.empty()) return words;
  }
  return one_line(decoded(without_tags(page, lower)));
}

bool is_html(std::string_view body) {
  return is_page(lower_case(body.substr(prologue_of(body).size, kMaxReadBytes)));
}

std::string xml_text(std::string_view xml, std::string_view name) {
  const std::string tag = std::string(name) + ">";
  const auto start = xml.find("<" + tag);
  if (start == xml.npos) return {};
  const auto begin = start + tag.size() + 1;
  const auto end = xml.find("</" + tag, begin);
  return end == xml.npos ? std::string() : decoded(xml.substr(begin, end - begin));
}

}  // namespace weir::scalers
