// The grammar of the Accept header as github.com/munnerz/goautoneg reads it.
#include "apiservice/negotiation/accept.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>
#include <system_error>
#include <tuple>
#include <utility>

namespace weir::apiservice {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

double quality_of(std::string_view text) {
  double out = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc{} && stop == end && out == out ? out : 0;  // out != out: NaN
}

std::optional<AcceptClause> parse_clause(std::string_view text) {
  const auto parts = split(text, ';');
  const auto names = split(parts.front(), '/');
  AcceptClause out;
  out.type = trimmed(names[0]);
  // "*" alone is "*/*"; any other type without a subtype is invalid.
  if (names.size() == 1 && out.type != "*") return std::nullopt;
  if (names.size() > 2) return std::nullopt;
  out.subtype = names.size() == 1 ? "*" : trimmed(names[1]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto pair = split(parts[i], '=');
    if (pair.size() != 2) continue;
    const std::string_view name = trimmed(pair[0]);
    if (name == "q") {
      out.quality = quality_of(trimmed(pair[1]));
    } else {
      out.parameters.emplace_back(name, trimmed(pair[1]));
    }
  }
  return out;
}

// The smallest rank is the best.
auto rank(const AcceptClause& clause) {
  // The position makes the order total, because std::ranges::sort is not stable.
  return std::tuple(-clause.quality, clause.type == "*", clause.subtype == "*", clause.position);
}

}  // namespace

std::string_view AcceptClause::parameter(std::string_view name) const {
  // The last value of a repeated parameter is used, as in Go's map.
  for (const auto& [key, value] : parameters | std::views::reverse) {
    if (key == name) return value;
  }
  return {};
}

bool AcceptClause::takes(std::string_view wanted_type, std::string_view wanted_subtype) const {
  // A `*` type is a range only with a `*` subtype.
  if (type == "*") return subtype == "*";
  return type == wanted_type && (subtype == "*" || subtype == wanted_subtype);
}

std::vector<AcceptClause> parse_accept(std::string_view header) {
  std::vector<AcceptClause> out;
  for (const std::string_view part : split(header, ',')) {
    auto clause = parse_clause(part);
    // An invalid clause does not invalidate the header.
    if (!clause) continue;
    clause->position = out.size();
    out.push_back(std::move(*clause));
  }
  std::ranges::sort(out, [](const AcceptClause& left, const AcceptClause& right) {
    return rank(left) < rank(right);
  });
  return out;
}

}  // namespace weir::apiservice
