// The vector selectors of a PromQL query, for the look at a query that found nothing. A scan by
// tokens and no parser: what it does not understand it leaves out. Pure.
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
  std::string text;   // as it stands in the query

  friend bool operator==(const Matcher&, const Matcher&) = default;
};

struct Selector {
  std::string name;  // empty: the matchers alone
  std::vector<Matcher> matchers;
  std::string range;               // "5m" of [5m]; empty: an instant selector
  bool takes_two_samples = false;  // of its range, as the argument of a rate or its like

  friend bool operator==(const Selector&, const Selector&) = default;
};

inline constexpr std::size_t kMaxSelectors = 3;
inline constexpr std::size_t kMaxMatchers = 8;  // of a selector; one with more is left out

// The first kMaxSelectors different ones, in the order of the query.
[[nodiscard]] std::vector<Selector> selectors_of(std::string_view query);

// "offset", "@" or "unless", with which a selector's own series tell nothing of the query's: they
// are those of another time, or take others away. nullopt: the query has none of them.
[[nodiscard]] std::optional<std::string> bent_by(std::string_view query);

// As PromQL, without its range.
[[nodiscard]] std::string text_of(const Selector& selector);

// The same without its matcher number `index`.
[[nodiscard]] Selector without(Selector selector, std::size_t index);

}  // namespace weir::scalers::backends::prometheus
