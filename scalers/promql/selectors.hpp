// The vector selectors of a PromQL query: for the diagnosis of a query without series, for ages,
// and for the series of a page. Not a parser of PromQL: it omits what it does not understand. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers::promql {

struct Matcher {
  std::string label;
  std::string op;     // "=", "!=", "=~", "!~"
  std::string value;  // without quotes and escapes
  std::string text;   // as written in the query

  friend bool operator==(const Matcher&, const Matcher&) = default;
};

struct Selector {
  std::string name;  // without quotes; empty: matchers only
  std::vector<Matcher> matchers;
  std::string range;               // "5m" of [5m]; empty: an instant selector
  bool needs_two_samples = false;  // within `range`, because rate() or a similar function reads it

  friend bool operator==(const Selector&, const Selector&) = default;
};

inline constexpr std::size_t kMaxSelectors = 3;
inline constexpr std::size_t kMaxMatchers = 8;  // of a selector; selectors with more are omitted

// The first kMaxSelectors different selectors, in the order of the query.
[[nodiscard]] std::vector<Selector> parse_selectors(std::string_view query);
// Whether the query has others: a fourth one, or one that is not understood, such as MetricsQL's
// {a="b" or c="d"}.
[[nodiscard]] bool has_omitted_selectors(std::string_view query);

// "offset", "@", "unless", or of MetricsQL "ifnot" and "with". A query with one of these words
// cannot be diagnosed by its selectors, because they then match at another time, remove series, or
// are no metrics. nullopt: the query has none of them.
[[nodiscard]] std::optional<std::string> undiagnosable_word(std::string_view query);

// The selector that `text` is, without a range: up, up{job="x"}, {"my.metric", job="x"}.
struct InvalidSelector {
  std::string why;  // "expected =, !=, =~ or !~ after job; found }"
};
[[nodiscard]] std::variant<Selector, InvalidSelector> parse_selector(std::string_view text);

// Whether `text` is a plain vector selector, such as up{job="x"}, whatever its matchers are. Only a
// selector has an age, because Prometheus gives a computed value the time of the query.
[[nodiscard]] bool is_selector(std::string_view text);

// As PromQL, without its range.
[[nodiscard]] std::string text_of(const Selector& selector);
// A label as PromQL: in quotes if it needs them.
[[nodiscard]] std::string text_of_label(const std::string& label);

// The matchers for equality of a query that is one selector alone, `__name__` among them; empty for
// any other query, whose labels may be made by functions. A matcher whose string has escapes is
// omitted, because servers other than Prometheus may read them differently.
[[nodiscard]] std::vector<Matcher> equality_matchers(std::string_view query);

// `selector` without its matcher number `index`.
[[nodiscard]] Selector without(Selector selector, std::size_t index);

}  // namespace weir::scalers::promql
