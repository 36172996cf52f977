// Reimplements k8s.io/apimachinery/pkg/labels: lexer, validation, parser, including its error
// texts.
#include "apiservice/meta/label_selector.hpp"

#include "apiservice/encoding/go_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace weir::apiservice {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::LabelRequirement;
using scalers::Result;
using Operator = LabelRequirement::Operator;
using Faults = std::vector<std::string>;

Error bad_request(std::string message) { return {Errc::bad_request, std::move(message), ""}; }

// ---- tokens

enum class Kind { end, word, sign };

struct Token {
  Kind kind;
  std::string_view text;  // of the input; empty at its end

  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_sign(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  Token next() {
    const auto start = std::find_if_not(rest_.begin(), rest_.end(), is_blank);
    rest_.remove_prefix(static_cast<std::size_t>(start - rest_.begin()));
    if (rest_.empty() || rest_.front() == '\0') {
      rest_ = {};
      return {Kind::end, {}};
    }
    if (is_sign(rest_.front())) {
      const bool is_double = rest_.starts_with("==") || rest_.starts_with("!=");
      return cut(Kind::sign, is_double ? 2 : 1);
    }
    const auto stop = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return c == '\0' || is_blank(c) || is_sign(c);
    });
    return cut(Kind::word, static_cast<std::size_t>(stop - rest_.begin()));
  }

 private:
  Token cut(Kind kind, std::size_t length) {
    const Token token{kind, rest_.substr(0, length)};
    rest_.remove_prefix(length);
    // Kubernetes' lexer swallows a NUL that directly follows a token.
    if (!rest_.empty() && rest_.front() == '\0') rest_.remove_prefix(1);
    return token;
  }

  std::string_view rest_;
};

// ---- keys and values

// The lengths of a DNS label and of a DNS subdomain (RFC 1123), which Kubernetes applies to keys.
constexpr std::size_t kNameBytes = 63;
constexpr std::size_t kPrefixBytes = 253;

// Go's output verbatim, with the double space in the example lists.
constexpr std::string_view kNameShape =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kPrefixHint =
    " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
constexpr std::string_view kValueShape =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view kPrefixShape =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

// Not <cctype>, because a wire format must not depend on the locale.
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }
bool is_alphanumeric(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

// The syntax of a key's name and of a value that is not empty, without the limit on its length.
bool is_name(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

// Dotted labels of lower-case letters, digits and inner dashes.
bool is_subdomain(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    const bool is_inner = before != '.' && (c == '-' || (c == '.' && before != '-'));
    if (!is_lower(c) && !is_inner) return false;
    before = c;
  }
  return is_lower(before);
}

std::string too_long(std::size_t limit) {
  return fmt::format("must be no more than {} bytes", limit);
}

void check_prefix(std::string_view prefix, Faults& faults) {
  if (prefix.empty()) {
    faults.emplace_back("prefix part must be non-empty");
    return;
  }
  if (prefix.size() > kPrefixBytes) faults.push_back("prefix part " + too_long(kPrefixBytes));
  if (!is_subdomain(prefix)) faults.push_back(fmt::format("prefix part {}", kPrefixShape));
}

Faults key_faults(std::string_view key) {
  if (std::count(key.begin(), key.end(), '/') > 1) {
    return {fmt::format("a valid label key {}{}", kNameShape, kPrefixHint)};
  }
  Faults faults;
  const std::size_t slash = key.find('/');
  if (slash != std::string_view::npos) check_prefix(key.substr(0, slash), faults);

  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  if (name.empty()) faults.emplace_back("name part must be non-empty");
  if (name.size() > kNameBytes) faults.push_back("name part " + too_long(kNameBytes));
  if (!is_name(name)) faults.push_back(fmt::format("name part {}", kNameShape));
  return faults;
}

Faults value_faults(std::string_view value) {
  Faults faults;
  if (value.size() > kNameBytes) faults.push_back(too_long(kNameBytes));
  if (!value.empty() && !is_name(value)) faults.emplace_back(kValueShape);
  return faults;
}

// Base 10 with an optional sign, as Go's ParseInt takes it.
bool is_int64(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc{} && stop == end;
}

// ---- error texts about keys and values

std::string invalid(std::string_view path, std::string_view text, const Faults& faults) {
  return fmt::format("{}: Invalid value: {}: {}", path, go_quoted(text), fmt::join(faults, "; "));
}

// ---- requirements

// Kubernetes' error text for the values of one requirement; several errors are one bracketed list.
std::optional<Error> check_values(const LabelRequirement& requirement) {
  const bool is_numeric =
      requirement.op == Operator::greater_than || requirement.op == Operator::less_than;
  Faults faults;
  if (is_numeric && !is_int64(requirement.values.front())) {
    faults.push_back(invalid("values[0]",
                             requirement.values.front(),
                             {"for 'Gt', 'Lt' operators, the value must be an integer"}));
  }
  for (std::size_t i = 0; i < requirement.values.size(); ++i) {
    const std::string& value = requirement.values[i];
    const Faults value_errors = value_faults(value);
    if (value_errors.empty()) continue;
    const std::string path = fmt::format("values[{}][{}]", i, requirement.key);
    faults.push_back(invalid(path, value, value_errors));
  }
  if (faults.empty()) return std::nullopt;
  if (faults.size() == 1) return bad_request(std::move(faults.front()));
  return bad_request(fmt::format("[{}]", fmt::join(faults, ", ")));
}

std::optional<Operator> operator_of(const Token& token) {
  constexpr std::array<std::pair<std::string_view, Operator>, 7> kOperators = {{
      {"in", Operator::in},
      {"notin", Operator::not_in},
      {"=", Operator::equals},
      {"==", Operator::double_equals},
      {"!=", Operator::not_equals},
      {">", Operator::greater_than},
      {"<", Operator::less_than},
  }};
  const auto* const row = std::find_if(kOperators.begin(), kOperators.end(), [&](const auto& each) {
    return each.first == token.text;
  });
  return row == kOperators.end() ? std::nullopt : std::optional(row->second);
}

// Recursive descent with one token of lookahead. Every function leaves `next_` at the first token
// that it did not use.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text), next_(lexer_.next()) {}

  Result<std::vector<LabelRequirement>> selector() {
    std::vector<LabelRequirement> out;
    if (next_.kind == Kind::end) return out;
    if (!starts_requirement()) {
      return expected(next_, ", expected: !, identifier, or 'end of string'");
    }
    while (true) {
      Result<LabelRequirement> parsed = requirement();
      if (!parsed) return parsed.error().within("unable to parse requirement");
      out.push_back(std::move(*parsed));

      const Token following = take();
      if (following.kind == Kind::end) return out;
      if (!following.is(",")) return expected(following, ", expected: ',' or 'end of string'");
      if (!starts_requirement()) return expected(next_, ", expected: identifier after ','");
    }
  }

 private:
  static Error expected(const Token& token, std::string_view what) {
    return bad_request(fmt::format("found '{}'{}", token.text, what));
  }

  Token take() { return std::exchange(next_, lexer_.next()); }
  bool starts_requirement() const { return next_.kind == Kind::word || next_.is("!"); }
  bool ends_requirement() const { return next_.kind == Kind::end || next_.is(","); }

  Result<LabelRequirement> requirement() {
    const bool is_negated = next_.is("!");
    if (is_negated) take();
    const Token key = take();
    if (key.kind != Kind::word) return expected(key, ", expected: identifier");
    const Faults faults = key_faults(key.text);
    // Kubernetes prints the missing path of the key as <nil>.
    if (!faults.empty()) return bad_request(invalid("<nil>", key.text, faults));

    LabelRequirement result{std::string(key.text), Operator::does_not_exist, {}};
    if (is_negated) return result;  // the caller rejects an operator after it
    if (ends_requirement()) {
      result.op = Operator::exists;
      return result;
    }
    return compared(std::move(result));
  }

  // The operator and the values of a requirement whose key is known.
  Result<LabelRequirement> compared(LabelRequirement result) {
    const Token sign = take();
    const std::optional<Operator> op = operator_of(sign);
    // Kubernetes' text names gt and lt, although it accepts only > and <.
    if (!op) return expected(sign, ", expected: in, notin, =, ==, !=, gt, lt");
    const bool is_set = *op == Operator::in || *op == Operator::not_in;
    Result<std::vector<std::string>> values = is_set ? value_set() : single_value();
    if (!values) return values.error();

    result.op = *op;
    result.values = std::move(*values);
    if (std::optional<Error> fault = check_values(result)) return *std::move(fault);
    return result;
  }

  Result<std::vector<std::string>> single_value() {
    // `a=` requires the empty value.
    if (ends_requirement()) return std::vector<std::string>{""};
    const Token value = take();
    if (value.kind != Kind::word) return expected(value, ", expected: identifier");
    return std::vector<std::string>{std::string(value.text)};
  }

  // ( [VALUE] {, [VALUE]} ), where a missing value is the empty one.
  Result<std::vector<std::string>> value_set() {
    const Token open = take();
    // Kubernetes has no comma in this text.
    if (!open.is("(")) return expected(open, " expected: '('");
    if (next_.kind != Kind::word && !next_.is(",") && !next_.is(")")) {
      return expected(next_, ", expected: ',', ')' or identifier");
    }
    std::vector<std::string> values;
    while (true) {
      const bool has_value = next_.kind == Kind::word;
      const Token value = has_value ? take() : Token{Kind::word, {}};
      values.emplace_back(value.text);
      const Token following = take();
      if (following.is(")")) break;
      if (following.is(",")) continue;
      return expected(following,
                      has_value ? ", expected: ',' or ')'" : ", expected: ',', or identifier");
    }
    // Kubernetes holds the values in a sorted set.
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  Lexer lexer_;
  Token next_;
};

// By key; requirements of the same key keep their order. Not std::stable_sort: libstdc++'s uses a
// deprecated function, which the warning flags refuse.
std::vector<LabelRequirement> sorted(std::vector<LabelRequirement> requirements) {
  if (requirements.size() < 2) return requirements;
  std::vector<std::size_t> order(requirements.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(requirements[a].key, a) < std::tie(requirements[b].key, b);
  });
  std::vector<LabelRequirement> result;
  result.reserve(requirements.size());
  for (const std::size_t at : order) result.push_back(std::move(requirements[at]));
  return result;
}

}  // namespace

Result<std::vector<LabelRequirement>> parse_selector(std::string_view text) {
  Result<std::vector<LabelRequirement>> requirements = Parser(text).selector();
  if (!requirements) return requirements;
  return sorted(std::move(*requirements));
}

}  // namespace weir::apiservice
