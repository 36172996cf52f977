// Configuration nodes for tests, from YAML's flow notation: {key: text, list: [a, 'b'], none: ~}.
// Marks are those of the text, with the file name "t.yaml". Not a YAML parser: quotes have no
// escapes, and bad notation throws.
#pragma once

#include "scalers/settings/node.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace weir::test {

class NodeParser {
 public:
  explicit NodeParser(std::string_view text) : text_(text) {}

  scalers::Node document() {
    auto out = value();
    blanks();
    if (at_ != text_.size()) fail("text after the end");
    return out;
  }

 private:
  scalers::Node value() {
    blanks();
    scalers::Node out;
    out.mark = mark();
    if (take('{')) {
      out.kind = scalers::Node::Kind::map;
      while (!take('}')) out.fields.push_back(field());  // field() throws at the end of the text
    } else if (take('[')) {
      out.kind = scalers::Node::Kind::list;
      while (!take(']')) {
        if (at_ >= text_.size()) fail("an open bracket");
        out.items.push_back(value());
        take(',');
      }
    } else {
      std::tie(out.text, out.is_quoted) = scalar(",]}\n");
      const bool is_null = !out.is_quoted && (out.text == "~" || out.text.empty());
      out.kind = is_null ? scalers::Node::Kind::null : scalers::Node::Kind::scalar;
      if (is_null) out.text.clear();
    }
    return out;
  }

  scalers::Node::Field field() {
    blanks();
    const auto key_mark = mark();
    auto key = scalar(":,]}\n").first;
    if (!take(':')) fail("a key without :");
    auto held = value();
    take(',');
    return {std::move(key), key_mark, std::move(held)};
  }

  std::pair<std::string, bool> scalar(std::string_view ends) {
    blanks();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    if (quote == '"' || quote == '\'') {
      const auto close = text_.find(quote, at_ + 1);
      if (close == text_.npos) fail("an open quote");
      std::string out(text_.substr(at_ + 1, close - at_ - 1));
      at_ = close + 1;
      return {std::move(out), true};
    }
    const auto end = std::min(text_.find_first_of(ends, at_), text_.size());
    std::string out(text_.substr(at_, end - at_));
    while (out.ends_with(' ')) out.pop_back();
    at_ = end;
    return {std::move(out), false};
  }

  bool take(char wanted) {
    blanks();
    if (at_ >= text_.size()) return false;
    if (text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void blanks() { at_ = std::min(text_.find_first_not_of(" \n", at_), text_.size()); }

  [[nodiscard]] scalers::Mark mark() const {
    int line = 1;
    int column = 1;
    for (const char c : text_.substr(0, at_)) {
      column = c == '\n' ? 1 : column + 1;
      line += c == '\n' ? 1 : 0;
    }
    return {"t.yaml", line, column};
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw std::logic_error("nodes.hpp: " + what + " in " + std::string(text_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

inline scalers::Node node(std::string_view text) { return NodeParser(text).document(); }

// A scalar whose text may hold anything.
inline scalers::Node scalar(std::string text, bool is_quoted = false) {
  scalers::Node out;
  out.kind = scalers::Node::Kind::scalar;
  out.text = std::move(text);
  out.is_quoted = is_quoted;
  out.mark = {"t.yaml", 1, 1};
  return out;
}

}  // namespace weir::test
