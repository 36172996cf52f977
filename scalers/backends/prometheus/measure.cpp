// By the outline of the query, because PromQL's functions say what an outermost one measures.
#include "scalers/backends/prometheus/measure.hpp"

#include "scalers/settings/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers::backends::prometheus {
namespace {

std::string text_of(const Node& block, std::string_view key) {
  const Node* value = block.find(key);
  return value == nullptr ? std::string() : value->text;
}

// The position of the quote that ends the string that begins at `at`.
std::size_t end_of_quote(std::string_view query, std::size_t at) {
  const char quote = query[at];
  for (++at; at < query.size() && query[at] != quote; ++at) {
    // A string in backquotes has no escapes in PromQL.
    if (query[at] == '\\' && quote != '`') ++at;
  }
  return at;
}

// The query without the contents of its brackets and strings: "100 * avg by () ()". Prometheus
// rejects a query whose brackets do not match, so that any outline of one will do.
std::string outline_of(std::string_view query) {
  std::string out;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < query.size(); ++at) {
    const char c = query[at];
    if (c == '"' || c == '\'' || c == '`') {
      at = end_of_quote(query, at);
      continue;
    }
    if (c == ')' && depth > 0) --depth;
    if (depth == 0) out += c;
    if (c == '(') ++depth;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// The query without brackets around all of it.
std::string_view without_brackets(std::string_view query) {
  query = trimmed(query);
  while (outline_of(query) == "()") query = trimmed(query.substr(1, query.size() - 2));
  return query;
}

// The outline of a single average or quantile, with optional numbers that shift, scale or filter it
// and an optional `or vector()`. With any other operand the result may not be an average.
// avg_over_time() is not among them, because a backlog stays one when it is averaged over time; a
// comparison with bool is not either, because its result is 0 or 1.
Pattern average_outline() {
  const std::string number = R"([0-9.]+(?:e[-+]?[0-9]+)?)";
  const std::string by = R"((?:by|without)\s*\(\))";
  const std::string aggregation =
      fmt::format(R"((?:avg|quantile)\s*(?:{0}\s*)?\(\)(?:\s*{0})?)", by);
  const std::string before = fmt::format(R"((?:{}\s*[-+*]\s*)?)", number);
  const std::string after = fmt::format(R"((?:\s*(?:[-+*/]|[<>]=?|[!=]=)\s*{})*)", number);
  const std::string otherwise = R"((?:\s*or\s+(?:on\s*\(\)\s*)?vector\s*\(\))?)";
  // PromQL's aggregations are not case-sensitive.
  return std::get<Pattern>(
      Pattern::compile(fmt::format(R"((?i){}(?:{}|histogram_quantile\s*\(\)){}{})",
                                   before,
                                   aggregation,
                                   after,
                                   otherwise)));
}

}  // namespace

Measure measure_of(const Node& block) {
  static const Pattern kAverage = average_outline();
  const bool is_average = text_of(block, "aggregate") == "avg" ||
                          kAverage.matches(outline_of(without_brackets(text_of(block, "query"))));
  return is_average ? Measure::average : Measure::unknown;
}

}  // namespace weir::scalers::backends::prometheus
