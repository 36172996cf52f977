// The parser of $(label) texts. Never recursive: a value that looks like a parameter is not
// expanded, because values come from callers.
#include "scalers/settings/template.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers {

TextTemplate TextTemplate::parse(std::string_view text,
                                 const Mark& mark,
                                 ParameterNames& names,
                                 Problems& problems) {
  TextTemplate out;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) out.pieces_.push_back({std::exchange(literal, {}), false});
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    // Only $$( is an escape: $$ before anything else stays as it is.
    if (rest.starts_with("$$(")) {
      literal += "$(";
      at += 3;
    } else if (rest.starts_with("$(")) {
      const auto close = rest.find(')');
      if (close == rest.npos) {
        problems.add(mark, "a parameter has the form $(label); the ) is missing");
        break;
      }
      const std::string name(rest.substr(2, close - 2));
      // Parsing continues after this problem, so that every undeclared parameter is reported.
      if (!names.use(name)) {
        problems.add(mark, names.problem_of(name));
      }
      flush();
      out.pieces_.push_back({name, true});
      at += close + 1;
    } else {
      literal += rest.front();
      ++at;
    }
  }
  flush();
  return out;
}

std::string TextTemplate::render(const Parameters& parameters) const {
  std::string out;
  for (const Piece& piece : pieces_)
    out += piece.is_parameter ? parameters.at(piece.text) : piece.text;
  return out;
}

bool TextTemplate::has_parameters() const {
  return std::ranges::any_of(pieces_, &Piece::is_parameter);
}

bool TextTemplate::has_parameter(std::string_view name) const {
  return std::ranges::any_of(pieces_, [&](const Piece& piece) {
    return piece.is_parameter && piece.text == name;
  });
}

}  // namespace weir::scalers
