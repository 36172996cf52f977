// The tokens of a PromQL or MetricsQL query: the one place that knows strings, comments, numbers
// and names. It accepts every text, because the server alone decides what a valid query is. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::promql {

enum class TokenKind {
  blank,
  comment,    // from # to before the line end
  string,     // with its quotes: "...", '...' or `...`
  number,     // 1, 0x1F, 1e-3, .5, Inf and NaN, and durations: 5m, 1h30m, 1.5h, 5i
  name,       // of a metric, a label, a function or an operator: job:x:sum, by, foo\-bar
  parameter,  // $(label) outside of strings, in a query of the configuration
  symbol,     // an operator, a bracket or a comma; $$(; a byte of no other kind
};

// `text` is a part of the query, which outlives the token.
struct Token {
  TokenKind kind;
  std::string_view text;
  bool is_complete = true;  // false: the query ends within this string or parameter

  [[nodiscard]] bool is(std::string_view symbol) const {
    return kind == TokenKind::symbol && text == symbol;
  }
};

// All tokens: their texts together are `query`.
[[nodiscard]] std::vector<Token> all_tokens(std::string_view query);
// Without blanks and comments.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view query);

// What a string token means, with the escapes of Go; nullopt when it is incomplete or has an escape
// that Go does not know.
[[nodiscard]] std::optional<std::string> unquoted(const Token& string);
// `text` as a string token in double quotes.
[[nodiscard]] std::string quoted(std::string_view text);

// Whether the name needs no quotes: [a-zA-Z_:][a-zA-Z0-9_:]* but for Inf and NaN; for a label
// without colons.
[[nodiscard]] bool is_metric_name(std::string_view name);
[[nodiscard]] bool is_label_name(std::string_view name);

}  // namespace weir::scalers::promql
