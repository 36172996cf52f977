// The patterns and the order in which they apply: secrets first, then addresses, then short texts,
// because each step could tear apart what the next one has to find.
#include "scalers/text/redact.hpp"

#include "scalers/text/echo.hpp"
#include "scalers/text/utf8.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <vector>

namespace weir::scalers {
namespace {

constexpr std::size_t kMaxShownBytes = 300;
// Longer texts are cut first, because a remote may send a megabyte of error text.
constexpr std::size_t kMaxReadBytes = 8192;
// Shorter texts are also found inside other words.
constexpr std::size_t kUniqueBytes = 4;
constexpr std::string_view kHidden = "[hidden]";
// The placeholder of kHidden during the search, so that no text is found inside of "[hidden]".
constexpr char kMark = '\x01';

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// The end of a port that follows a text ending at `end` (three digits or more: fewer are
// positions). The port is hidden together with its host, because hide_addresses() would not find it
// alone.
std::size_t end_of_port(const std::string& text, std::size_t end) {
  if (end >= text.size() || text[end] != ':') return end;
  const auto after = std::min(text.find_first_not_of("0123456789", end + 1), text.size());
  const std::size_t digits = after - end - 1;
  return digits >= 3 && digits <= 5 ? after : end;
}

// Replaces `secret`, however it is encoded, and a port after it by the mark; a short one only where
// it is a whole word, because a query such as "up" would tear other words and addresses apart.
void hide(std::string& text, std::string_view secret) {
  const bool is_short = secret.size() < kUniqueBytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto end = echo_at(text, at, secret).end;
    if (end == 0) continue;
    const bool is_inside =
        (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    if (!is_short || !is_inside)
      text.replace(at, (is_short ? end : end_of_port(text, end)) - at, 1, kMark);
  }
}

std::string one_printable_line(std::string_view raw) {
  std::string out;
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t length = printable_length(raw, at);
    if (length > 0) {
      out += raw.substr(at, length);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    at += std::max({length, utf8_length(raw, at), std::size_t{1}});
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

void hide_addresses(std::string& text) {
  // Compiled at each call, because remote errors are rare and static objects with constructors are
  // not allowed.
  static constexpr std::string_view kAddress =
      R"([a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']+)"                        // a url
      R"(|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b)"      // IPv4
      R"(|\[[0-9a-fA-F:.%]*:[0-9a-fA-F:.%]*\](?::\d{1,5})?)"         // IPv6 in brackets
      R"(|\b[0-9a-fA-F]{1,4}(?::{1,2}[0-9a-fA-F]{1,4}){3,7}\b)"      // IPv6 alone
      R"(|\b[a-zA-Z][a-zA-Z0-9.-]*:\d{3,5}\b)"                       // a name and its port
      R"(|(?i:\bport[ =:]+\d{1,5}\b))"                               // a port alone
      R"(|(?i:\buser(?:name)?[=:]\s*[^\s,;]+))"                      // a user
      R"(|(?i:\b(?:lookup|host|to)\s+[a-z0-9-]+(?:\.[a-z0-9-]+)+))"  // a dotted name that is looked
                                                                     // up or dialled
      R"(|lookup [a-zA-Z0-9-]+)";
  RE2::GlobalReplace(&text,
                     RE2(re2::StringPiece(kAddress.data(), kAddress.size())),
                     re2::StringPiece(&kMark, 1));
}

bool has_domain(std::string_view text) {
  for (auto at = text.find('.'); at != text.npos; at = text.find('.', at + 1)) {
    if (at + 1 < text.size() && is_word(text[at + 1])) return true;
  }
  return false;
}

void hide_hosts(std::string& text) {
  // The names of a certificate in messages of Go and of curl.
  static constexpr std::string_view kValidFor = R"((\bvalid for ).+?(, not )[^\s,;:"']+)";
  static constexpr std::string_view kCertified =
      R"((\bwanted to match )[^\s,;:"']+|(\b(?:subject|host) ?name )'[^']*')";
  // A name under a private domain.
  static constexpr std::string_view kPrivate =
      R"((?i:(?:\*\.)?\b[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:internal|local|svc|example)\b))";
  // Three labels and more. A name directly after a quote is that of an object: a queue, a key, a
  // job.
  static constexpr std::string_view kDotted =
      R"((?i:(^|[^"'a-z0-9._-])(?:\*|[a-z0-9_-]+)(?:\.[a-z0-9_-]+)+\.[a-z][a-z0-9-]*[a-z0-9]))";
  const auto replace = [&text](std::string_view pattern, const std::string& with) {
    RE2::GlobalReplace(&text, RE2(re2::StringPiece(pattern.data(), pattern.size())), with);
  };
  const std::string mark(1, kMark);
  // Compiled only when needed, because compiling a pattern takes longer than everything else here.
  if (text.find("ertificate") != text.npos) {
    replace(kValidFor, R"(\1)" + mark + R"(\2)" + mark);
    replace(kCertified, R"(\1\2)" + mark);
  }
  if (!has_domain(text)) return;
  replace(kPrivate, mark);
  replace(kDotted, R"(\1)" + mark);
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

// As they are to be found: the longest first, because one may be part of another.
std::vector<std::string> searched(std::span<const std::string> redactions) {
  std::vector<std::string> out;
  for (const std::string& secret : redactions) {
    const std::string line = one_printable_line(secret);
    // Blanks in front would make the search slow in a text of blanks.
    out.push_back(line.substr(std::min(line.find_first_not_of(' '), line.size())));
  }
  std::erase(out, "");
  std::ranges::sort(out, std::ranges::greater{}, &std::string::size);
  return out;
}

// A text that was cut may end with the beginning of a redacted one.
void drop_cut_secret(std::string& text, std::span<const std::string> secrets) {
  std::size_t end = text.size();
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0; at < end; ++at) {
      if (echo_at(text, at, secret).cut >= kUniqueBytes) end = at;
    }
  }
  text.resize(end);
}

enum class Addresses { hide, keep };

std::string bounded(std::string_view raw,
                    std::span<const std::string> redactions,
                    Addresses addresses) {
  std::string text = one_printable_line(raw.substr(0, kMaxReadBytes));
  const auto secrets = searched(redactions);
  const auto hide_secrets = [&](bool is_unique) {
    for (const std::string& secret : secrets) {
      if ((secret.size() >= kUniqueBytes) == is_unique) hide(text, secret);
    }
  };
  hide_secrets(true);
  if (raw.size() > kMaxReadBytes) drop_cut_secret(text, secrets);
  if (addresses == Addresses::hide) {
    hide_addresses(text);
    hide_hosts(text);
  }
  hide_secrets(false);
  return shortened(shown_marks(text), kMaxShownBytes);
}

}  // namespace

std::string remote_text(std::string_view raw, std::span<const std::string> redactions) {
  return bounded(raw, redactions, Addresses::hide);
}

std::string addressed_text(std::string_view raw, std::span<const std::string> secrets) {
  return bounded(raw, secrets, Addresses::keep);
}

}  // namespace weir::scalers
