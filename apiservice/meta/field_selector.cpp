// Reimplements k8s.io/apimachinery/pkg/fields, including its error texts.
#include "apiservice/meta/field_selector.hpp"

#include "apiservice/encoding/go_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace weir::apiservice {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::Result;

Error bad_request(std::string message) { return {Errc::bad_request, std::move(message), ""}; }

// Split at commas that no backslash escapes.
std::vector<std::string_view> terms_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  bool is_escaped = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_escaped) {
      is_escaped = false;
    } else if (text[at] == '\\') {
      is_escaped = true;
    } else if (text[at] == ',') {
      out.push_back(text.substr(start, at - start));
      start = at + 1;
    }
  }
  out.push_back(text.substr(start));
  return out;
}

bool is_special(char c) { return c == '\\' || c == ',' || c == '='; }

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      // Go prints the number of the character.
      if (is_special(text[at])) {
        return bad_request(fmt::format("invalid field selector: unescaped character in value: {}",
                                       static_cast<int>(text[at])));
      }
      out += text[at];
      continue;
    }
    ++at;
    // At the end of the text a lone backslash is reported.
    if (at == text.size() || !is_special(text[at])) {
      return bad_request(
          fmt::format("invalid field selector: invalid escape sequence: \\{}", text.substr(at, 1)));
    }
    out += text[at];
  }
  return out;
}

struct Term {
  std::string field;
  std::string value;
  bool is_equal;
};

std::optional<Term> split(std::string_view term) {
  // `==` before `=`, which is its prefix.
  constexpr std::array<std::string_view, 3> kOperators{"!=", "==", "="};
  for (std::size_t at = 0; at < term.size(); ++at) {
    for (const std::string_view sign : kOperators) {
      if (!term.substr(at).starts_with(sign)) continue;
      return Term{std::string(term.substr(0, at)),
                  std::string(term.substr(at + sign.size())),
                  sign != "!="};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<FieldRequirement>> parse_field_selector(std::string_view text) {
  std::vector<FieldRequirement> out;
  if (text.empty()) return out;
  auto terms = terms_of(text);
  // As in Kubernetes: of several errors the first in this order is reported.
  std::ranges::sort(terms);
  for (const std::string_view part : terms) {
    // Kubernetes ignores surplus commas.
    if (part.empty()) continue;
    auto term = split(part);
    if (!term)
      return bad_request(fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    auto value = unescaped(term->value);
    if (!value) return value.error();
    out.push_back({std::move(term->field), std::move(*value), term->is_equal});
  }
  return out;
}

Result<void> check_fields(const std::vector<FieldRequirement>& requirements) {
  for (const auto& [field, value, is_equal] : requirements) {
    // Accepted and without effect on the values, as in Go's library: the name only decides the
    // authorization.
    if (field == "metadata.name" || field == "metadata.namespace") continue;
    return bad_request(fmt::format(
        "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        go_quoted(field)));
  }
  return {};
}

}  // namespace weir::apiservice
