// The token scan. Independent of the one in query.cpp, which only has to place parameters.
#include "scalers/backends/prometheus/selectors.hpp"

#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace weir::scalers::backends::prometheus {
namespace {

// Each is followed by label names in brackets, which are not metrics.
constexpr std::array<std::string_view, 6> kLabelLists{
    {"by", "without", "on", "ignoring", "group_left", "group_right"}};
// Words that are neither metrics nor functions; inf and nan are numbers.
constexpr std::array<std::string_view, 8> kOperators{
    {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}};
// predict_linear and holt_winters too; changes and resets return 0 for one sample.
constexpr std::array<std::string_view, 8> kTwoSampleFunctions{
    {"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "holt_winters"}};

// The functions of <cctype> depend on the locale.
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_name(char c) { return is_name_start(c) || is_digit(c); }

class Scanner {
 public:
  explicit Scanner(std::string_view query) : text_(query) {}

  void scan() {
    while (at_ < text_.size()) take();
  }
  [[nodiscard]] std::vector<Selector> selectors() { return std::move(out_); }
  [[nodiscard]] std::optional<std::string> undiagnosable_word() {
    return std::move(undiagnosable_);
  }

 private:
  void take() {
    const char c = text_[at_];
    if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '"' || c == '\'' || c == '`') {
      take_string();
    } else if (c == '[') {
      take_bracket();
    } else if (c == '{') {
      add("");
    } else if (is_digit(c) || c == '.') {
      // Numbers and durations contain letters that are not names: 0x1F, 1e5, 5m.
      while (at_ < text_.size() && (is_name(text_[at_]) || text_[at_] == '.')) ++at_;
    } else if (is_name_start(c)) {
      take_word();
    } else {
      // An @ in a string or a comment does not come here.
      if (c == '@') undiagnosable_ = "@";
      ++at_;
    }
  }

  void take_word() {
    const std::string word = take_name();
    const std::string lower = lower_case(word);
    skip_blanks();
    if (std::ranges::find(kLabelLists, lower) != kLabelLists.end()) {
      if (next() == '(') at_ = std::min(text_.find(')', at_), text_.size());
      return;
    }
    const bool is_operator = std::ranges::find(kOperators, lower) != kOperators.end();
    // PromQL's keywords ignore case.
    if (lower == "offset" || lower == "unless") undiagnosable_ = lower;
    // Of MetricsQL: its names are no metrics.
    if (lower == "with" && next() == '(') undiagnosable_ = lower;
    if (!is_operator && next() == '(') function_ = lower;
    if (is_operator || next() == '(' || is_before_label_list()) return;
    add(word);
  }

  // "sum by (x) (...)": the word before `by` is an aggregation, not a metric name.
  [[nodiscard]] bool is_before_label_list() {
    // Looks ahead only, because take_word() has to see the word `by` itself.
    const std::size_t here = at_;
    const std::string word = lower_case(take_name());
    at_ = here;
    return word == "by" || word == "without";
  }

  void add(std::string name) {
    Selector selector{std::move(name), {}, {}, false};
    // A selector that is not understood is omitted as a whole: without one of its matchers it would
    // be another selector.
    if (next() == '{' && !take_matchers(selector.matchers)) return;
    skip_blanks();
    if (next() == '[') selector.range = take_bracket();
    // A range is always an argument of a function.
    selector.needs_two_samples =
        !selector.range.empty() &&
        std::ranges::find(kTwoSampleFunctions, function_) != kTwoSampleFunctions.end();
    // Each selector costs a query of the diagnosis, so there are few, and none is in the list
    // twice.
    if (out_.size() == kMaxSelectors || (selector.name.empty() && selector.matchers.empty()))
      return;
    if (std::ranges::find(out_, selector) == out_.end()) out_.push_back(std::move(selector));
  }

  bool take_matchers(std::vector<Matcher>& out) {
    ++at_;
    // One round more than there may be matchers, for the closing bracket.
    for (std::size_t i = 0; i <= kMaxMatchers; ++i) {
      skip_blanks();
      if (next() == ',') ++at_;
      skip_blanks();
      if (next() == '}') {
        ++at_;
        return true;
      }
      auto matcher = take_matcher();
      if (!matcher) break;
      out.push_back(std::move(*matcher));
    }
    at_ = std::min(text_.find('}', at_), text_.size());
    return false;
  }

  std::optional<Matcher> take_matcher() {
    const std::size_t start = at_;
    Matcher out{take_name(), {}, {}, {}};
    skip_blanks();
    while (next() == '=' || next() == '!' || next() == '~') out.op += text_[at_++];
    skip_blanks();
    // A name in quotes, which newer servers accept, has no label name here and is not understood.
    const bool is_quoted = next() == '"' || next() == '\'' || next() == '`';
    if (out.label.empty() || out.op.empty() || !is_quoted) return std::nullopt;
    out.value = take_string();
    out.text = text_.substr(start, at_ - start);
    return out;
  }

  // The text inside the quotes; an escape becomes the byte after its backslash.
  std::string take_string() {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && quote != '`' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    at_ = std::min(at_ + 1, text_.size());
    return out;
  }

  // "5m" of [5m]; empty for a subquery's.
  std::string take_bracket() {
    const std::size_t end = std::min(text_.find(']', at_), text_.size());
    // An open bracket may be the last byte.
    std::string inside(text_.substr(at_ + 1, end - std::min(at_ + 1, end)));
    std::erase_if(inside, is_blank);
    at_ = std::min(end + 1, text_.size());
    return inside.find(':') == inside.npos ? inside : std::string();
  }

  std::string take_name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string function_;  // the last function with an open bracket, in lower case
  std::optional<std::string> undiagnosable_;
  std::vector<Selector> out_;
};

}  // namespace

std::vector<Selector> parse_selectors(std::string_view query) {
  Scanner scanner(query);
  scanner.scan();
  return scanner.selectors();
}

std::optional<std::string> undiagnosable_word(std::string_view query) {
  Scanner scanner(query);
  scanner.scan();
  return scanner.undiagnosable_word();
}

std::vector<Matcher> equality_matchers(std::string_view query) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto start = std::min(query.find_first_not_of(kBlanks), query.size());
  query = query.substr(start, query.find_last_not_of(kBlanks) + 1 - start);
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
  std::string out = selector.name;
  if (selector.matchers.empty()) return out;
  out += '{';
  for (const Matcher& matcher : selector.matchers) {
    if (&matcher != selector.matchers.data()) out += ',';
    out += matcher.text;
  }
  return out + '}';
}

Selector without(Selector selector, std::size_t index) {
  selector.matchers.erase(selector.matchers.begin() + static_cast<std::ptrdiff_t>(index));
  return selector;
}

}  // namespace weir::scalers::backends::prometheus
