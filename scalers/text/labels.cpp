// One spelling of labels, because errors and explanations are read side by side.
#include "scalers/text/labels.hpp"

#include <fmt/format.h>

namespace weir::scalers {

std::string labels_text(const Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}={}", out.size() == 1 ? "" : ", ", name, value);
  return out + "}";
}

}  // namespace weir::scalers
