// A text of the configuration with $(label) parameters: parsed when the configuration is loaded,
// rendered for each query. Pure.
#pragma once

#include "scalers/reading.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/problems.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

class TextTemplate {
 public:
  // $(label) and $(namespace) are parameters, $$( is a literal $(. Adds a problem at `mark` for
  // each parameter that is not declared.
  [[nodiscard]] static TextTemplate parse(std::string_view text,
                                          const Mark& mark,
                                          ParameterNames& names,
                                          Problems& problems);
  // `parameters` has a value for each name that parse() accepted. Values are inserted unquoted: the
  // client that sends the text quotes it for its protocol.
  [[nodiscard]] std::string render(const Parameters& parameters) const;
  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  // Whether the result of render() depends on the caller, or on one of its parameters.
  [[nodiscard]] bool has_parameters() const;
  [[nodiscard]] bool has_parameter(std::string_view name) const;

 private:
  struct Piece {
    std::string text;  // a literal, or a parameter's name
    bool is_parameter;
  };
  std::vector<Piece> pieces_;
};

}  // namespace weir::scalers
