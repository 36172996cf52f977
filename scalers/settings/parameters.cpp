// Which parameters a metric declares and uses, apart from the templates because a PromQL query,
// too, takes parameters.
#include "scalers/settings/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::scalers {

bool ParameterNames::use(std::string_view name) {
  const bool exists =
      name == kNamespaceParameter || std::ranges::find(declared_, name) != declared_.end();
  if (exists) used_.emplace(name);
  return exists;
}

std::vector<std::string> ParameterNames::unused() const {
  std::vector<std::string> out;
  std::ranges::copy_if(declared_, std::back_inserter(out), [this](const auto& name) {
    return !used_.contains(name);
  });
  return out;
}

std::string ParameterNames::listed() const {
  std::string out = fmt::format("$({})", kNamespaceParameter);
  for (const std::string& name : declared_) out += fmt::format(", $({})", name);
  return out;
}

}  // namespace weir::scalers
