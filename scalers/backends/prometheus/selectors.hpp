// The vector selectors of a PromQL query, for the diagnosis of a query without series. A scan of
// tokens, not a parser: it omits what it does not understand. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {

struct Matcher {
  std::string label;
  std::string op;     // "=", "!=", "=~", "!~"
  std::string value;  // without quotes and escapes
  std::string text;   // as written in the query

  friend bool operator==(const Matcher&, const Matcher&) = default;
};

struct Selector {
  std::string name;  // empty: matchers only
  std::vector<Matcher> matchers;
  std::string range;               // "5m" of [5m]; empty: an instant selector
  bool needs_two_samples = false;  // within `range`, because rate() or a similar function reads it

  friend bool operator==(const Selector&, const Selector&) = default;
};

inline constexpr std::size_t kMaxSelectors = 3;
inline constexpr std::size_t kMaxMatchers = 8;  // of a selector; selectors with more are omitted

// The first kMaxSelectors different selectors, in the order of the query.
[[nodiscard]] std::vector<Selector> parse_selectors(std::string_view query);

// "offset", "@" or "unless". A query with one of these words cannot be diagnosed by its selectors,
// because they then match at another time or remove series. nullopt: the query has none of them.
[[nodiscard]] std::optional<std::string> undiagnosable_word(std::string_view query);

// As PromQL, without its range.
[[nodiscard]] std::string text_of(const Selector& selector);

// The matchers for equality of a query that is one selector alone, `__name__` among them; empty for
// any other query, whose labels may be made by functions. A matcher whose string has escapes is
// omitted, because take_string() does not know those of Go.
[[nodiscard]] std::vector<Matcher> equality_matchers(std::string_view query);

// `selector` without its matcher number `index`.
[[nodiscard]] Selector without(Selector selector, std::size_t index);

}  // namespace weir::scalers::backends::prometheus
