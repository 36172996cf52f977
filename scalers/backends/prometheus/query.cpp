// QueryTemplate: places parameters into a query. Apart, because the escaping keeps a caller from
// changing the query.
#include "scalers/backends/prometheus/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace weir::scalers::backends::prometheus {
namespace {

using Piece = QueryTemplate::Piece;
using Quoting = QueryTemplate::Quoting;

// One open bracket: its function, and the number of the current argument.
struct Frame {
  std::string function;
  std::size_t argument = 0;
};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// Scans PromQL only as far as the position of a parameter needs: strings, comments, matchers,
// arguments.
class Scanner {
 public:
  Scanner(std::string_view text, const Mark& mark, ParameterNames& names, Problems& problems)
      : text_(text), mark_(mark), names_(names), problems_(problems) {}

  std::vector<Piece> pieces() {
    while (at_ < text_.size()) {
      // As a whole, because its last two bytes look like a parameter.
      if (text_.substr(at_).starts_with("$$(")) {
        literal_ += "$(";
        at_ += 3;
      } else if (text_.substr(at_).starts_with("$(")) {
        take_parameter();
      } else if (is_comment_) {
        take_comment_byte();
      } else if (quote_ != '\0') {
        take_string_byte();
      } else {
        take_query_byte();
      }
    }
    flush();
    return std::move(pieces_);
  }

 private:
  void take_parameter() {
    if (is_comment_) {
      // A line end in a value would end the comment, and the rest would be PromQL.
      problem("a parameter must not be in a comment");
      at_ += 2;
      return;
    }
    const auto close = text_.find(')', at_);
    if (close == text_.npos) {
      problem("a parameter has the form $(label); the ) is missing");
      at_ = text_.size();
      return;
    }
    const std::string name(text_.substr(at_ + 2, close - at_ - 2));
    at_ = close + 1;
    if (!names_.use(name)) {
      problem(names_.problem_of(name));
    } else if (quote_ == '\0') {
      // Elsewhere a value could be an operator, a function or another selector.
      problem(fmt::format("$({}) must be inside a quoted string, such as {{label=\"$({})\"}}",
                          name,
                          name));
    } else if (quote_ == '`') {
      // A raw string knows no escapes, so a ` in a value would end it.
      problem(fmt::format("$({}) must not be in a `string`; write the string in \"double quotes\"",
                          name));
    }
    flush();
    // After a problem too, so that the scan finds the problems after it.
    pieces_.push_back({is_pattern_ ? Quoting::regex : Quoting::text, name, quote_});
  }

  void take_string_byte() {
    const char c = text_[at_];
    // Both bytes of an escape at once: an escaped quote does not end the string.
    const bool is_escape = c == '\\' && quote_ != '`' && at_ + 1 < text_.size();
    literal_ += text_.substr(at_, is_escape ? 2 : 1);
    at_ += is_escape ? 2 : 1;
    if (c == quote_ && !is_escape) quote_ = '\0';
  }

  void take_query_byte() {
    const char c = text_[at_];
    if (c == '#') {
      // A blank in code_, because a comment separates words: label_replace may be on one side and
      // its bracket on the other.
      is_comment_ = true;
      literal_ += c;
      code_ += ' ';
      ++at_;
      return;
    }
    if (c == '"' || c == '\'' || c == '`') {
      quote_ = c;
      // Decided where the string opens, because a parameter may be anywhere in it.
      is_pattern_ = follows_pattern_operator() || is_pattern_argument();
    } else if (c == '(') {
      frames_.push_back({previous_word()});
    } else if (c == ')' && !frames_.empty()) {
      frames_.pop_back();
    } else if (c == ',' && !frames_.empty() && braces_ == 0) {
      // Commas between matchers do not separate arguments.
      ++frames_.back().argument;
    } else if (c == '{') {
      ++braces_;
    } else if (c == '}' && braces_ > 0) {
      --braces_;
    }
    literal_ += c;
    code_ += c;
    ++at_;
  }

  void take_comment_byte() {
    is_comment_ = text_[at_] != '\n';
    literal_ += text_[at_++];
  }

  // The query before the current position, without comments, strings' contents and trailing blanks.
  [[nodiscard]] std::string_view before() const {
    const std::string_view code = code_;
    return code.substr(0, code.find_last_not_of(" \t\r\n") + 1);
  }
  [[nodiscard]] bool follows_pattern_operator() const {
    return before().ends_with("=~") || before().ends_with("!~");
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
  [[nodiscard]] std::string previous_word() const {
    const std::string_view text = before();
    const auto start = std::find_if_not(text.rbegin(), text.rend(), is_word);
    return {start.base(), text.end()};
  }

  void problem(std::string what) { problems_.add(mark_, std::move(what)); }
  void flush() {
    if (!literal_.empty()) pieces_.push_back({Quoting::none, std::exchange(literal_, {}), '\0'});
  }

  std::string_view text_;
  const Mark& mark_;
  ParameterNames& names_;
  Problems& problems_;
  std::size_t at_ = 0;
  char quote_ = '\0';  // the open string's quote; NUL outside a string
  bool is_pattern_ = false;
  bool is_comment_ = false;
  std::size_t braces_ = 0;
  std::vector<Frame> frames_;
  std::string code_;
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
  out.pieces_ = Scanner(text, mark, names, problems).pieces();
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
