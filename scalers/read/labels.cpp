// The meaning of selectors, apart from their grammar (apiservice/meta): what a requirement may do
// depends on the metric, and each refusal says what to write instead.
#include "scalers/read/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdint>
#include <functional>
#include <iterator>
#include <utility>

namespace weir::scalers::read {
namespace {

using Operator = LabelRequirement::Operator;

Error refusal(std::string detail) { return {Errc::bad_request, std::move(detail), ""}; }

std::string listed(std::span<const DeclaredLabel> declared) {
  if (declared.empty()) return "this metric declares no labels; remove the selector";
  std::string out = "this metric declares";
  for (const auto& label : declared)
    out += fmt::format("{} {}", &label == declared.data() ? "" : ",", label.name);
  return out;
}

std::string_view text_of(Operator op) {
  switch (op) {
    case Operator::in: return "in";
    case Operator::not_in: return "notin";
    case Operator::equals: return "=";
    case Operator::double_equals: return "==";
    case Operator::not_equals: return "!=";
    case Operator::exists: return "exists";
    case Operator::does_not_exist: return "!";
    case Operator::greater_than: return ">";
    case Operator::less_than: return "<";
  }
  return "";
}

// Why a requirement can't bind anything, if so.
std::optional<Error> check(const LabelRequirement& requirement,
                           std::span<const DeclaredLabel> declared) {
  const auto found = std::ranges::find(declared, requirement.key, &DeclaredLabel::name);
  if (found == declared.end()) {
    return refusal(
        fmt::format("label \"{}\" is not declared; {}", requirement.key, listed(declared)));
  }
  // The other operators exclude values or accept any: they give the query no value to use.
  const bool is_binding = requirement.op == Operator::in || requirement.op == Operator::equals ||
                          requirement.op == Operator::double_equals;
  if (!is_binding) {
    return refusal(
        fmt::format("operator {} on label {} binds no value; write {}=VALUE or {} in (A,B)",
                    text_of(requirement.op),
                    requirement.key,
                    requirement.key,
                    requirement.key));
  }
  for (const std::string& value : requirement.values) {
    // The pattern is what bounds a caller: a value that it refuses never reaches a query.
    if (found->pattern.matches(value)) continue;
    return refusal(fmt::format("value \"{}\" of label {} does not match the pattern {}",
                               value,
                               requirement.key,
                               found->pattern.text()));
  }
  return std::nullopt;
}

// A whole decimal integer as strconv.ParseInt reads it, with which Kubernetes compares for > and <.
std::optional<std::int64_t> integer(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool matches(const LabelRequirement& requirement, const Labels& labels) {
  const auto label = labels.find(requirement.key);
  const bool has_key = label != labels.end();
  const auto is_listed = [&] {
    return has_key &&
           std::ranges::find(requirement.values, label->second) != requirement.values.end();
  };
  const auto order = [&](auto compare) {
    if (!has_key) return false;
    const auto value = integer(label->second);
    // The grammar gives > and < one value each.
    const auto bound = integer(requirement.values.front());
    return value && bound && compare(*value, *bound);
  };
  switch (requirement.op) {
    case Operator::in:
    case Operator::equals:
    case Operator::double_equals: return is_listed();
    case Operator::not_in:
    case Operator::not_equals: return !is_listed();
    case Operator::exists: return has_key;
    case Operator::does_not_exist: return !has_key;
    case Operator::greater_than: return order(std::greater<>());
    case Operator::less_than: return order(std::less<>());
  }
  return false;
}

// Views into the requirements, or of the label's default.
using Values = std::vector<std::string_view>;

// The values of one declared label that every requirement on it allows.
Result<Values> values_of(const DeclaredLabel& label,
                         std::span<const LabelRequirement> requirements) {
  std::optional<Values> allowed;
  for (const LabelRequirement& requirement : requirements) {
    if (requirement.key != label.name) continue;
    if (!allowed) {
      // Requirements on one key are ANDed, so the values that remain are those in all of them.
      allowed.emplace(requirement.values.begin(), requirement.values.end());
      continue;
    }
    std::erase_if(*allowed, [&](const auto& value) {
      return std::ranges::find(requirement.values, value) == requirement.values.end();
    });
  }
  // Kubernetes would select nothing. Here that is an error, because on an empty list the HPA says
  // "no metrics returned" and nothing of the selector.
  if (allowed && allowed->empty()) {
    return refusal(
        fmt::format("the selector's requirements on label {} exclude each other", label.name));
  }
  if (allowed) return std::move(*allowed);
  // A default has matched the pattern when the configuration was loaded.
  if (label.fallback) return Values{*label.fallback};
  return refusal(
      fmt::format("label {} has no value; write {}=VALUE in the selector (its pattern is {})",
                  label.name,
                  label.name,
                  label.pattern.text()));
}

}  // namespace

Result<std::vector<Labels>> bind_labels(std::span<const DeclaredLabel> declared,
                                        std::span<const LabelRequirement> requirements) {
  for (const LabelRequirement& requirement : requirements) {
    if (auto error = check(requirement, declared)) return std::move(*error);
  }
  // One empty set: a metric without labels has one query.
  std::vector<Labels> bound(1);
  for (const DeclaredLabel& label : declared) {
    auto values = values_of(label, requirements);
    if (!values) return values.error();
    // Before the combinations are made, because their number multiplies with each label.
    if (bound.size() * values->size() > kMaxBoundCombinations) {
      return refusal(fmt::format("the selector asks for more than {} combinations of values",
                                 kMaxBoundCombinations));
    }
    if (values->size() == 1) {  // as almost always: nothing is copied
      for (Labels& labels : bound) labels.emplace(label.name, values->front());
      continue;
    }
    std::vector<Labels> extended;
    for (const Labels& before : bound) {
      for (const std::string_view value : *values) {
        extended.push_back(before);
        extended.back().emplace(label.name, value);
      }
    }
    bound = std::move(extended);
  }
  return bound;
}

bool matches(std::span<const LabelRequirement> requirements, const Labels& labels) {
  return std::ranges::all_of(requirements, [&](const LabelRequirement& requirement) {
    return matches(requirement, labels);
  });
}

Result<Selection> select(SelectorMode mode,
                         std::span<const DeclaredLabel> declared,
                         std::span<const LabelRequirement> requirements) {
  // A filter binds nothing, so the query of such a metric has no parameters to declare.
  assert(mode == SelectorMode::bind || declared.empty());
  if (mode == SelectorMode::filter)
    return Selection{{Labels{}}, {requirements.begin(), requirements.end()}};
  auto bound = bind_labels(declared, requirements);
  if (!bound) return bound.error();
  return Selection{std::move(*bound), {}};
}

}  // namespace weir::scalers::read
