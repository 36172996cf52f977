// The patterns and the order in which they apply: secrets first, then addresses, then short texts,
// because each step could tear apart what the next one has to find.
#include "scalers/text/redact.hpp"

#include "scalers/text/echo.hpp"
#include "scalers/text/utf8.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::scalers {
namespace {

constexpr std::size_t kMaxShownBytes = 300;
// Longer texts are cut first, because a remote may send a megabyte of error text.
constexpr std::size_t kMaxReadBytes = 8192;
// Shorter texts are also found inside other words.
constexpr std::size_t kUniqueBytes = 4;
// The same of digits of base64.
constexpr std::size_t kUniqueDigits = 5;
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

// Replaces `word`, a short text such as the query "up", by the mark where it is a whole word:
// elsewhere it would tear other words and addresses apart.
void hide_word(std::string& text, std::string_view word) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto end = echo_at(text, at, word).end;
    if (end == 0) continue;
    const bool is_inside =
        (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    if (!is_inside) text.replace(at, end - at, 1, kMark);
  }
}

// A part of a text.
struct Range {
  std::size_t begin;
  std::size_t end;
};

// Replaces each range by the mark, and all that overlap by one.
void hide(std::string& text, std::vector<Range> ranges) {
  std::ranges::sort(ranges, {}, &Range::begin);
  std::string out;
  std::size_t done = 0;
  for (std::size_t i = 0; i < ranges.size();) {
    Range whole = ranges[i++];
    for (; i < ranges.size() && ranges[i].begin < whole.end; ++i)
      whole.end = std::max(whole.end, ranges[i].end);
    out.append(text, done, whole.begin - done);
    out += kMark;
    done = whole.end;
  }
  text = std::move(out) + text.substr(done);
}

bool is_base64(char c) { return is_word(c) || c == '+' || c == '/' || c == '-'; }

// The digits of base64 that `secret` alone decides when `offset` bytes are in front of it.
std::string base64_digits(std::string_view secret, std::size_t offset) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string bytes = std::string(offset, '\0') + std::string(secret) + '\0';
  const auto byte_at = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  std::string out;
  // Digit i has the bits from 6 * i on. The first ones have bits of what is in front.
  for (std::size_t i = (offset * 8 + 5) / 6; i < (bytes.size() - 1) * 8 / 6; ++i) {
    const std::size_t bit = 6 * i;
    const std::uint32_t two = (std::uint32_t{byte_at(bit / 8)} << 8U) | byte_at(bit / 8 + 1);
    out += kDigits[(two >> (10 - bit % 8)) & 63U];
  }
  return out;
}

// What the base64 of a text with `secret` in it contains, of both alphabets.
std::vector<std::string> base64_forms(std::string_view secret) {
  std::vector<std::string> out;
  for (const std::size_t offset : {0U, 1U, 2U}) {
    std::string digits = base64_digits(secret, offset);
    if (digits.size() < kUniqueDigits) continue;
    std::string in_url = digits;
    std::ranges::replace(in_url, '+', '-');
    std::ranges::replace(in_url, '/', '_');
    if (in_url != digits) out.push_back(std::move(in_url));
    out.push_back(std::move(digits));
  }
  return out;
}

// What is searched of a secret.
struct Secret {
  std::string text;
  std::vector<std::string> base64;
};

void find(const Decoding& message, const Secret& secret, std::vector<Range>& out) {
  const std::string& text = message.text;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto end = echo_at(text, at, secret.text).end;
    if (end == 0) continue;
    const auto after = end_of_port(text, end);
    out.push_back({message.places[at], message.places[after]});
    at = after - 1;
  }
  for (const std::string& digits : secret.base64) {
    for (auto at = text.find(digits); at != text.npos;) {
      // All of the encoded text, whose other digits may have the rest of the secret.
      auto begin = at;
      while (begin > 0 && is_base64(text[begin - 1])) --begin;
      auto end = at + digits.size();
      while (end < text.size() && is_base64(text[end])) ++end;
      while (end < text.size() && text[end] == '=') ++end;
      out.push_back({message.places[begin], message.places[end]});
      at = text.find(digits, end);
    }
  }
}

void hide(std::string& text, const std::vector<Secret>& secrets) {
  std::vector<Range> ranges;
  for (const Decoding& decoding : decodings_of(text)) {
    for (const Secret& secret : secrets) find(decoding, secret, ranges);
  }
  if (!ranges.empty()) hide(text, std::move(ranges));
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

// Those of at least, or of less than, kUniqueBytes, as they are found in one line: without blanks
// in front, which would make the search slow in a text of blanks.
std::vector<std::string> searched(std::span<const std::string> redactions, bool is_unique) {
  std::vector<std::string> out;
  for (const std::string& redaction : redactions) {
    const std::string line = one_printable_line(redaction);
    std::string text = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    if (!text.empty() && (text.size() >= kUniqueBytes) == is_unique) out.push_back(std::move(text));
  }
  // The longest first, because one may be part of another.
  std::ranges::sort(out, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

std::vector<Secret> secrets_of(std::span<const std::string> redactions) {
  std::vector<Secret> out;
  for (std::string& text : searched(redactions, true)) {
    auto base64 = base64_forms(text);
    out.push_back({std::move(text), std::move(base64)});
  }
  return out;
}

// Where the beginning of `secret` begins with which `message` ends; its size: nowhere.
std::size_t start_of_cut(const std::string& message, const Secret& secret) {
  for (std::size_t at = 0; at < message.size(); ++at) {
    if (echo_at(message, at, secret.text).cut >= kUniqueBytes) return at;
  }
  for (const std::string& digits : secret.base64) {
    for (auto size = std::min(digits.size(), message.size()); size >= kUniqueDigits; --size) {
      if (!message.ends_with(std::string_view(digits).substr(0, size))) continue;
      auto begin = message.size() - size;
      while (begin > 0 && is_base64(message[begin - 1])) --begin;
      return begin;
    }
  }
  return message.size();
}

// A text that was cut may end with the beginning of a secret.
void drop_cut_secret(std::string& text, const std::vector<Secret>& secrets) {
  std::size_t end = text.size();
  for (const Decoding& decoding : decodings_of(text)) {
    for (const Secret& secret : secrets)
      end = std::min(end, decoding.places[start_of_cut(decoding.text, secret)]);
  }
  text.resize(end);
}

enum class Addresses { hide, keep };

std::string bounded(std::string_view raw,
                    std::span<const std::string> redactions,
                    Addresses addresses) {
  std::string text = one_printable_line(raw.substr(0, kMaxReadBytes));
  const auto secrets = secrets_of(redactions);
  hide(text, secrets);
  if (raw.size() > kMaxReadBytes) drop_cut_secret(text, secrets);
  if (addresses == Addresses::hide) {
    hide_addresses(text);
    hide_hosts(text);
  }
  for (const std::string& word : searched(redactions, false)) hide_word(text, word);
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
