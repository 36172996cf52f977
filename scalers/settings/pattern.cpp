// The only file of the settings that includes RE2.
#include "scalers/settings/pattern.hpp"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>
#include <vector>

namespace weir::scalers {
namespace {

bool has_byte_escape(const std::string& text) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    if (text[at] != '\\') continue;
    if (text[at + 1] == 'C') return true;
    ++at;  // an escaped backslash does not escape the next character
  }
  return false;
}

}  // namespace

std::variant<Pattern, Pattern::Invalid> Pattern::compile(const std::string& text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  // \C matches a single byte. It is rejected because Go's RE2, whose syntax Kubernetes and
  // Prometheus use, does not support it.
  if (has_byte_escape(text)) return Invalid{"\\C is not supported"};
  auto compiled = std::make_unique<RE2>(text, options);
  if (!compiled->ok()) return Invalid{compiled->error()};
  return Pattern(std::move(compiled));
}

Pattern::Pattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

bool Pattern::matches(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

const std::string& Pattern::text() const { return compiled_->pattern(); }

bool Pattern::may_match_bytes(bool (*is_allowed)(char)) const {
  // RE2's prefilter: the literals of which a matching text contains some, in lower case, and the
  // rule which of them it needs.
  re2::FilteredRE2 filter(1);
  int id = 0;
  filter.Add(compiled_->pattern(), compiled_->options(), &id);
  std::vector<std::string> literals;
  filter.Compile(&literals);
  std::vector<int> allowed;
  for (std::size_t i = 0; i < literals.size(); ++i) {
    if (std::ranges::all_of(literals[i], is_allowed)) allowed.push_back(static_cast<int>(i));
  }
  std::vector<int> possible;
  filter.AllPotentials(allowed, &possible);
  return !possible.empty();
}

std::optional<std::string> Pattern::literal() const {
  std::string out;
  const std::string& pattern = compiled_->pattern();
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const bool is_escape = pattern[at] == '\\';
    if (is_escape) ++at;
    const char c = pattern[at];
    // An escaped letter or digit is a class or an assertion; RE2 accepts no escape at the end.
    const bool is_literal =
        is_escape ? std::isalnum(static_cast<unsigned char>(c)) == 0
                  : std::string_view(".^$|?*+()[]{}").find(c) == std::string_view::npos;
    if (!is_literal) return std::nullopt;
    out += c;
  }
  return out;
}

}  // namespace weir::scalers
