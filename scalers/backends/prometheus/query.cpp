// QueryTemplate: places parameters into a query. Apart, because the escaping keeps a caller from
// changing the query.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/promql/lexer.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::scalers::backends::prometheus {
namespace {

using Piece = QueryTemplate::Piece;
using Quoting = QueryTemplate::Quoting;
using promql::Token;
using promql::TokenKind;

// One open bracket: its function in lower case, and the number of the current argument.
struct Frame {
  std::string function;
  std::size_t argument = 0;
};

// Goes through the tokens as far as the position of a parameter needs: matchers and arguments.
class Scanner {
 public:
  Scanner(const Mark& mark, ParameterNames& names, Problems& problems)
      : mark_(mark), names_(names), problems_(problems) {}

  std::vector<Piece> pieces(std::string_view text) {
    for (const Token& token : promql::all_tokens(text)) {
      take(token);
      if (token.kind != TokenKind::blank && token.kind != TokenKind::comment) previous_ = token;
    }
    flush();
    return std::move(pieces_);
  }

 private:
  void take(const Token& token) {
    switch (token.kind) {
      case TokenKind::parameter:
        // Here a value could be an operator, a function or another selector.
        return take_parameter(token.text, [](std::string_view name) {
          return fmt::format("$({0}) must be inside a quoted string, such as {{label=\"$({0})\"}}",
                             name);
        });
      case TokenKind::comment: return take_comment(token.text);
      case TokenKind::string: return take_string(token.text);
      case TokenKind::symbol: return take_symbol(token);
      case TokenKind::blank:
      case TokenKind::number:
      case TokenKind::name: literal_ += token.text; return;
    }
  }

  // `text` begins with $( and is removed up to its ). `problem_of_place` is empty where a value may
  // be.
  template <class ProblemOfPlace>
  void take_parameter(std::string_view text, ProblemOfPlace problem_of_place) {
    const auto close = text.find(')');
    if (close == text.npos) return problem("a parameter has the form $(label); the ) is missing");
    const std::string name(text.substr(2, close - 2));
    if (!names_.use(name)) {
      problem(names_.problem_of(name));
    } else if (std::string place = problem_of_place(name); !place.empty()) {
      problem(std::move(place));
    }
    flush();
    // After a problem too, so that the scan finds the problems after it.
    pieces_.push_back({is_pattern_ ? Quoting::regex : Quoting::text, name, quote_});
  }

  // The next $( of `text`, after the literal in front of it; false: there is none. $$( is $(.
  bool skip_to_parameter(std::string_view& text, bool has_escapes) {
    while (!text.empty()) {
      if (text.starts_with("$(")) return true;
      // As a whole, because its last two bytes look like a parameter.
      const bool is_literal_dollar = text.starts_with("$$(");
      // Both bytes of an escape at once: \$( is no parameter.
      const std::size_t length =
          is_literal_dollar
              ? 3
              : std::min<std::size_t>(has_escapes && text[0] == '\\' ? 2 : 1, text.size());
      literal_ += is_literal_dollar ? "$(" : text.substr(0, length);
      text.remove_prefix(length);
    }
    return false;
  }

  void take_comment(std::string_view text) {
    while (skip_to_parameter(text, false)) {
      // A line end in a value would end the comment, and the rest would be PromQL.
      problem("a parameter must not be in a comment");
      text.remove_prefix(2);
    }
  }

  void take_string(std::string_view text) {
    quote_ = text.front();
    is_pattern_ = is_pattern_operand_ || is_pattern_argument();
    const bool is_raw = quote_ == '`';
    while (skip_to_parameter(text, !is_raw)) {
      take_parameter(text, [is_raw](std::string_view name) {
        // A raw string knows no escapes, so a ` in a value would end it.
        if (!is_raw) return std::string();
        return fmt::format("$({}) must not be in a `string`; write the string in \"double quotes\"",
                           name);
      });
      text.remove_prefix(std::min(text.find(')'), text.size() - 1) + 1);
    }
    quote_ = '\0';
    is_pattern_ = false;
  }

  void take_symbol(const Token& token) {
    if (token.is("(")) {
      const bool is_call = previous_.kind == TokenKind::name;
      // MetricsQL's functions ignore case.
      frames_.push_back({is_call ? lower_case(previous_.text) : std::string()});
    } else if (token.is(")") && !frames_.empty()) {
      frames_.pop_back();
    } else if (token.is(",") && !frames_.empty() && braces_ == 0) {
      // Commas between matchers do not separate arguments.
      ++frames_.back().argument;
    } else if (token.is("{")) {
      ++braces_;
    } else if (token.is("}") && braces_ > 0) {
      --braces_;
    }
    // MetricsQL joins strings by a plus: {queue=~"a-" + "$(queue)"}.
    is_pattern_operand_ =
        token.is("=~") || token.is("!~") || (is_pattern_operand_ && token.is("+"));
    literal_ += token.is("$$(") ? "$(" : token.text;
  }

  // label_replace(vector, label, replacement, source, PATTERN), and of MetricsQL
  // label_match(vector, label, PATTERN), label_mismatch() and label_transform().
  [[nodiscard]] bool is_pattern_argument() const {
    if (frames_.empty()) return false;
    const auto& [function, argument] = frames_.back();
    if (function == "label_replace") return argument == 4;
    return argument == 2 && (function == "label_match" || function == "label_mismatch" ||
                             function == "label_transform");
  }

  void problem(std::string what) { problems_.add(mark_, std::move(what)); }
  void flush() {
    if (!literal_.empty()) pieces_.push_back({Quoting::none, std::exchange(literal_, {}), '\0'});
  }

  const Mark& mark_;
  ParameterNames& names_;
  Problems& problems_;
  Token previous_{TokenKind::symbol, ""};  // neither blank nor comment
  char quote_ = '\0';                      // the open string's quote; NUL outside a string
  bool is_pattern_ = false;
  bool is_pattern_operand_ = false;  // after =~ or !~, up to the next matcher
  std::size_t braces_ = 0;
  std::vector<Frame> frames_;
  std::string literal_;
  std::vector<Piece> pieces_;
};

// The bytes that Go's regexp.QuoteMeta quotes.
std::string regex_quoted(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (std::string_view(R"(\.+*?()|[]{}^$)").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string string_escaped(std::string_view value, char quote) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      // A quoted string of PromQL must not contain a line end.
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == quote) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

QueryTemplate QueryTemplate::parse(std::string_view text,
                                   const Mark& mark,
                                   ParameterNames& names,
                                   Problems& problems) {
  QueryTemplate out;
  out.pieces_ = Scanner(mark, names, problems).pieces(text);
  return out;
}

std::string QueryTemplate::render(const Parameters& parameters) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.quoting == Quoting::none) {
      out += piece.text;
      continue;
    }
    // Quoted as a pattern first and escaped last: the server reads the string, then the pattern in
    // it.
    const std::string& value = parameters.at(piece.text);
    out +=
        string_escaped(piece.quoting == Quoting::regex ? regex_quoted(value) : value, piece.quote);
  }
  return out;
}

}  // namespace weir::scalers::backends::prometheus
