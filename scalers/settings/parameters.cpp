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

ParameterNames ParameterNames::of_backend() {
  ParameterNames out({});
  out.is_backend_ = true;
  return out;
}

std::string ParameterNames::problem_of(std::string_view name) const {
  if (is_backend_) {
    return fmt::format(
        "$({}) is not known to a backend, which has $({}) alone: labels are those of a metric "
        "(write $$( for a literal $()",
        name,
        kNamespaceParameter);
  }
  return fmt::format("$({}) is not a declared label; use one of {} (write $$( for a literal $()",
                     name,
                     listed());
}

std::string ParameterNames::listed() const {
  std::string out = fmt::format("$({})", kNamespaceParameter);
  for (const std::string& name : declared_) out += fmt::format(", $({})", name);
  return out;
}

}  // namespace weir::scalers
