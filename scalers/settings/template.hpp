// A text of the configuration with $(label) parameters: parsed when it is loaded, rendered with
// each question. Pure.
#pragma once

#include "scalers/reading.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

class TextTemplate {
 public:
  // $(label) and $(namespace) are parameters, $$( is a literal $(. Adds a problem at `mark` for
  // each that isn't known.
  [[nodiscard]] static TextTemplate parse(std::string_view text,
                                          const Mark& mark,
                                          ParameterNames& names,
                                          Problems& problems);
  // `parameters` has a value for each name that parse() accepted. Values stand as they are: quoting
  // for where the text lands is for whoever sends it.
  [[nodiscard]] std::string render(const Parameters& parameters) const;
  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  // Whether the caller has a say in what render() gives.
  [[nodiscard]] bool has_parameters() const;

 private:
  struct Piece {
    std::string text;  // a literal, or a parameter's name
    bool is_parameter;
  };
  std::vector<Piece> pieces_;
};

}  // namespace weir::scalers
