// The only file of the settings that includes RE2.
#include "scalers/settings/pattern.hpp"

#include <re2/re2.h>

#include <utility>

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

}  // namespace weir::scalers
