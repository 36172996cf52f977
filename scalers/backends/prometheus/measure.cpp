// By the outline of the query, because PromQL's functions say what an outermost one measures.
#include "scalers/backends/prometheus/measure.hpp"

#include "scalers/promql/lexer.hpp"
#include "scalers/settings/pattern.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

std::string text_of(const Node& block, std::string_view key) {
  const Node* value = block.find(key);
  return value == nullptr ? std::string() : value->text;
}

// The query without the contents of its brackets and strings: "100 * avg by () ()". Prometheus
// rejects a query whose brackets do not match, so that any outline of one will do.
std::string outline_of(std::span<const promql::Token> tokens) {
  std::string out;
  std::size_t depth = 0;
  for (const promql::Token& token : tokens) {
    if (token.is(")") && depth > 0) --depth;
    if (depth == 0 && token.kind != promql::TokenKind::string) {
      if (!out.empty() && !token.is(")")) out += ' ';
      out += token.text;
    }
    if (token.is("(")) ++depth;
  }
  return out;
}

// Without brackets around all of the query.
std::string outline_of(std::string_view query) {
  const std::vector<promql::Token> tokens = promql::tokens_of(query);
  std::span<const promql::Token> inner = tokens;
  std::string out = outline_of(inner);
  while (out == "()") {
    inner = inner.subspan(1, inner.size() - 2);
    out = outline_of(inner);
  }
  return out;
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
  const bool is_average =
      text_of(block, "aggregate") == "avg" || kAverage.matches(outline_of(text_of(block, "query")));
  return is_average ? Measure::average : Measure::unknown;
}

}  // namespace weir::scalers::backends::prometheus
