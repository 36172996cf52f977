// Walks over the tokens of a query. Where an operand has just ended, a name is an operator or a
// modifier and no metric: of MetricsQL, too, which has limit, keep_metric_names, default and if.
#include "scalers/promql/selectors.hpp"

#include "scalers/promql/lexer.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weir::scalers::promql {
namespace {

// Each is followed by label names in brackets, which are not metrics.
constexpr std::array<std::string_view, 6> kLabelLists{
    {"by", "without", "on", "ignoring", "group_left", "group_right"}};
// Neither metrics nor functions; an operand follows.
constexpr std::array<std::string_view, 6> kOperators{
    {"and", "or", "unless", "bool", "offset", "atan2"}};
// These only after an operand, because Prometheus may have metrics of these names.
constexpr std::array<std::string_view, 4> kMetricsQlOperators{{"default", "if", "ifnot", "limit"}};
// changes and resets return 0 for one sample.
constexpr std::array<std::string_view, 9> kTwoSampleFunctions{{"rate",
                                                               "irate",
                                                               "increase",
                                                               "delta",
                                                               "idelta",
                                                               "deriv",
                                                               "predict_linear",
                                                               "holt_winters",
                                                               "double_exponential_smoothing"}};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool is_match_operator(const Token& token) {
  return token.is("=") || token.is("!=") || token.is("=~") || token.is("!~");
}

// A place among the tokens of a query; after the last one come empty symbols.
class Cursor {
 public:
  explicit Cursor(std::string_view query) : tokens_(tokens_of(query)) {}

  [[nodiscard]] bool is_at_end() const { return at_ >= tokens_.size(); }
  [[nodiscard]] Token peek(std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : Token{TokenKind::symbol, ""};
  }
  Token take() {
    const Token out = peek();
    ++at_;
    return out;
  }
  void skip_past(std::string_view symbol) {
    while (!is_at_end() && !take().is(symbol)) {
    }
  }

  // From { to the place after }. The problem; nullopt: there is none.
  std::optional<std::string> take_matchers(Selector& out) {
    take();
    while (!peek().is("}")) {
      auto problem = peek().kind == TokenKind::string && !is_match_operator(peek(1))
                         ? take_quoted_name(out)
                         : take_matcher(out);
      if (problem) return problem;
      if (peek().is(",")) {
        take();
      } else if (!peek().is("}")) {
        return is_at_end() ? "the } is missing"
                           : fmt::format("expected , or }}; found {}", shown());
      }
    }
    take();
    return std::nullopt;
  }

  // "5m" of [5m]; empty for a subquery's.
  std::string take_range() {
    std::string out;
    for (take(); !is_at_end() && !peek().is("]");) out += take().text;
    take();
    return out.find(':') == out.npos ? out : std::string();
  }

 private:
  [[nodiscard]] std::string shown() const {
    return is_at_end() ? "the end" : printable(shortened(std::string(peek().text), 60));
  }

  std::optional<std::string> take_quoted_name(Selector& out) {
    auto name = unquoted(peek());
    if (!name || name->empty()) return fmt::format("{} is not a valid string", shown());
    if (!out.name.empty()) {
      return fmt::format("there are two metric names, {} and {}", out.name, shown());
    }
    out.name = std::move(*name);
    take();
    return std::nullopt;
  }

  std::optional<std::string> take_matcher(Selector& out) {
    if (is_at_end()) return "the } is missing";
    const Token label = peek();
    const bool is_quoted = label.kind == TokenKind::string;
    auto name = is_quoted ? unquoted(label) : std::string(label.text);
    if (!name || name->empty() || (!is_quoted && !is_label_name(*name)))
      return fmt::format("expected a label name; found {}", shown());
    take();
    if (!is_match_operator(peek()))
      return fmt::format("expected =, !=, =~ or !~ after {}; found {}", label.text, shown());
    const std::string op(take().text);
    const Token string = peek();
    auto value = unquoted(string);
    if (string.kind != TokenKind::string)
      return fmt::format("expected a string in quotes after {}; found {}",
                         std::string(label.text) + op,
                         shown());
    if (!value) {
      return fmt::format("{} is not a valid string: {}",
                         shown(),
                         string.is_complete ? "it has an unknown escape" : "its end is missing");
    }
    take();
    // Both are parts of one query.
    const char* start = label.text.data();
    const char* end = string.text.data() + string.text.size();
    out.matchers.push_back({std::move(*name), op, std::move(*value), std::string(start, end)});
    return std::nullopt;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

class Scanner {
 public:
  explicit Scanner(std::string_view query) : cursor_(query) {
    while (!cursor_.is_at_end()) take();
  }

  [[nodiscard]] bool is_complete() const { return is_complete_; }
  [[nodiscard]] std::vector<Selector> selectors() { return std::move(out_); }
  [[nodiscard]] std::optional<std::string> undiagnosable_word() {
    return std::move(undiagnosable_);
  }

 private:
  void take() {
    const Token token = cursor_.peek();
    if (token.kind == TokenKind::name) return take_word();
    if (token.is("{")) return add("");
    if (token.is("[")) {
      cursor_.take_range();
      is_after_operand_ = true;
      return;
    }
    if (token.is("@")) undiagnosable_ = "@";
    is_after_operand_ = token.kind != TokenKind::symbol || token.is(")");
    cursor_.take();
  }

  void take_word() {
    const std::string word(cursor_.take().text);
    // PromQL's keywords ignore case, as do MetricsQL's functions.
    const std::string lower = lower_case(word);
    const Token next = cursor_.peek();
    const bool is_call = next.is("(");
    if (has(kLabelLists, lower)) {
      if (is_call) cursor_.skip_past(")");
      // These end an aggregation; after the others comes an operand.
      is_after_operand_ = lower == "by" || lower == "without";
      return;
    }
    if (lower == "offset" || lower == "unless" || (is_after_operand_ && lower == "ifnot"))
      undiagnosable_ = lower;
    // Of MetricsQL: its names are no metrics.
    if (lower == "with" && is_call) undiagnosable_ = lower;
    if (has(kOperators, lower)) {
      is_after_operand_ = false;
    } else if (is_after_operand_) {
      is_after_operand_ = !has(kMetricsQlOperators, lower);
    } else if (is_call) {
      function_ = lower;
    } else if (next.kind == TokenKind::string) {
      // MetricsQL's: group_left(*) prefix "x".
      cursor_.take();
    } else if (!is_before_label_list()) {
      add(word);
    }
  }

  // "sum by (x) (...)": the word before `by` is an aggregation, not a metric name.
  [[nodiscard]] bool is_before_label_list() const {
    const std::string word = lower_case(cursor_.peek().text);
    return word == "by" || word == "without";
  }

  void add(std::string name) {
    is_after_operand_ = true;
    // A selector that is not understood is omitted as a whole: without one of its matchers it would
    // be another selector.
    bool is_understood = name.empty() || is_metric_name(name);
    Selector selector{std::move(name), {}, {}, false};
    if (cursor_.peek().is("{") && cursor_.take_matchers(selector)) {
      cursor_.skip_past("}");
      is_understood = false;
    }
    if (cursor_.peek().is("[")) selector.range = cursor_.take_range();
    // A range is always an argument of a function.
    selector.needs_two_samples = !selector.range.empty() && has(kTwoSampleFunctions, function_);
    const bool is_all = selector.name.empty() && selector.matchers.empty();
    if (std::ranges::find(out_, selector) != out_.end()) return;
    // Each selector costs a query of the diagnosis, so there are few.
    if (!is_understood || is_all || selector.matchers.size() > kMaxMatchers ||
        out_.size() == kMaxSelectors) {
      is_complete_ = false;
      return;
    }
    out_.push_back(std::move(selector));
  }

  Cursor cursor_;
  bool is_after_operand_ = false;
  bool is_complete_ = true;  // no selector was omitted
  std::string function_;     // the last function with an open bracket, in lower case
  std::optional<std::string> undiagnosable_;
  std::vector<Selector> out_;
};

}  // namespace

std::vector<Selector> parse_selectors(std::string_view query) { return Scanner(query).selectors(); }

bool has_omitted_selectors(std::string_view query) { return !Scanner(query).is_complete(); }

std::optional<std::string> undiagnosable_word(std::string_view query) {
  return Scanner(query).undiagnosable_word();
}

std::variant<Selector, InvalidSelector> parse_selector(std::string_view text) {
  Cursor cursor(text);
  Selector out;
  if (cursor.peek().kind == TokenKind::name) out.name = cursor.take().text;
  if (!out.name.empty() && !is_metric_name(out.name))
    return InvalidSelector{fmt::format("{} is not a valid metric name", printable(out.name))};
  if (cursor.peek().is("{")) {
    if (auto problem = cursor.take_matchers(out)) return InvalidSelector{std::move(*problem)};
  }
  if (!cursor.is_at_end()) {
    return InvalidSelector{fmt::format("expected a selector, such as up{{job=\"x\"}}; found {}",
                                       printable(shortened(std::string(cursor.peek().text), 60)))};
  }
  if (out.name.empty() && out.matchers.empty()) return InvalidSelector{"there is no metric name"};
  return out;
}

bool is_selector(std::string_view text) {
  // A comment at the end would hide what is written after the selector.
  if (const auto all = all_tokens(text); all.empty() || all.back().kind == TokenKind::comment)
    return false;
  const auto tokens = tokens_of(text);
  if (tokens.empty()) return false;
  const bool has_name = tokens.front().kind == TokenKind::name;
  if (has_name && tokens.size() == 1) return is_metric_name(tokens.front().text);
  const auto open = tokens.begin() + (has_name ? 1 : 0);
  const auto close = std::ranges::find_if(tokens, [](const Token& one) { return one.is("}"); });
  return open->is("{") && close != tokens.end() && close + 1 == tokens.end();
}

std::vector<Matcher> equality_matchers(std::string_view query) {
  if (!is_selector(query)) return {};
  const auto selectors = parse_selectors(query);
  // None: a selector that the scan does not understand.
  if (selectors.size() != 1) return {};
  std::vector<Matcher> out;
  for (const Matcher& matcher : selectors.front().matchers) {
    const bool has_escape = matcher.text.find('\\') != matcher.text.npos;
    if (matcher.op == "=" && !has_escape) out.push_back(matcher);
  }
  if (!selectors.front().name.empty()) {
    const std::string& name = selectors.front().name;
    out.push_back({"__name__", "=", name, name});
  }
  return out;
}

std::string text_of(const Selector& selector) {
  const bool is_plain = selector.name.empty() || is_metric_name(selector.name);
  std::string out = is_plain ? selector.name : "{" + quoted(selector.name);
  if (is_plain && selector.matchers.empty()) return out;
  if (is_plain) out += '{';
  for (const Matcher& matcher : selector.matchers) {
    if (!is_plain || &matcher != selector.matchers.data()) out += ',';
    out += matcher.text;
  }
  return out + '}';
}

std::string text_of_label(const std::string& label) {
  return is_label_name(label) ? label : quoted(label);
}

Selector without(Selector selector, std::size_t index) {
  selector.matchers.erase(selector.matchers.begin() + static_cast<std::ptrdiff_t>(index));
  return selector;
}

}  // namespace weir::scalers::promql
