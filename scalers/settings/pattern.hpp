// A compiled RE2 pattern that must match a whole text. Always linear time, because patterns and
// texts come from configurations and selectors. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace re2 {
class RE2;
}

namespace weir::scalers {

class Pattern {
 public:
  struct Invalid {
    std::string why;  // RE2's error text
  };
  [[nodiscard]] static std::variant<Pattern, Invalid> compile(const std::string& text);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  [[nodiscard]] bool matches(std::string_view text) const;
  [[nodiscard]] const std::string& text() const;
  // False when each text that matches has a byte that `is_allowed` refuses, as far as the literal
  // parts of the pattern show it. `is_allowed` treats both cases of a letter alike.
  [[nodiscard]] bool may_match_bytes(bool (*is_allowed)(char)) const;
  // The only text that matches; nullopt for a pattern with operators, classes or flags.
  [[nodiscard]] std::optional<std::string> literal() const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace weir::scalers
