// Reads the parsed configuration, not the World, because the World does not expose the blocks of
// metrics.
#include "server/commands/doctor/config_facts.hpp"

#include "scalers/promql/lexer.hpp"
#include "scalers/settings/pattern.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <string_view>
#include <variant>

namespace weir::server::doctor {
namespace {

using scalers::Node;
using scalers::Pattern;
using scalers::promql::Token;
using scalers::promql::TokenKind;

std::string text_of(const Node& block, std::string_view key) {
  const Node* value = block.find(key);
  return value == nullptr ? std::string() : value->text;
}

// The query without the contents of its brackets and strings: "100 * avg by () ()". Prometheus
// rejects a query whose brackets do not match, so that any outline of one will do.
std::string outline_of(std::span<const Token> tokens) {
  std::string out;
  std::size_t depth = 0;
  for (const Token& token : tokens) {
    if (token.is(")") && depth > 0) --depth;
    if (depth == 0 && token.kind != TokenKind::string) {
      if (!out.empty() && !token.is(")")) out += ' ';
      out += token.text;
    }
    if (token.is("(")) ++depth;
  }
  return out;
}

// Without brackets around all of the query.
std::string outline_of(std::string_view query) {
  const std::vector<Token> tokens = scalers::promql::tokens_of(query);
  std::span<const Token> inner = tokens;
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

bool is_average(const Node& metric, const Pattern& outline) {
  const Node* prometheus = metric.find("prometheus");
  if (prometheus == nullptr) return false;
  return text_of(*prometheus, "aggregate") == "avg" ||
         outline.matches(outline_of(text_of(*prometheus, "query")));
}

bool is_backlog(const Node& metric) {
  if (const Node* rabbitmq = metric.find("rabbitmq")) {
    const std::string mode = text_of(*rabbitmq, "mode");
    // QueueLength is the default.
    return mode.empty() || mode == "QueueLength";
  }
  const Node* redis = metric.find("redis");
  return redis != nullptr && text_of(*redis, "kind") != "counter";
}

std::vector<std::string> namespaces_of(const Node& metric) {
  std::vector<std::string> out;
  const Node* namespaces = metric.find("namespaces");
  if (namespaces == nullptr) return out;
  for (const Node& item : namespaces->items) out.push_back(item.text);
  return out;
}

}  // namespace

std::vector<MeasuredMetric> measured_metrics(std::span<const Node> documents) {
  const Pattern outline = average_outline();
  std::vector<MeasuredMetric> out;
  for (const Node& document : documents) {
    const Node* metrics = document.find("metrics");
    if (metrics == nullptr) continue;
    for (const Node& metric : metrics->items) {
      const bool is_backlogged = is_backlog(metric);
      if (!is_backlogged && !is_average(metric, outline)) continue;
      out.push_back({text_of(metric, "name"),
                     namespaces_of(metric),
                     is_backlogged ? Measure::backlog : Measure::average});
    }
  }
  return out;
}

}  // namespace weir::server::doctor
