// The parameters that a metric's query may contain: its declared labels, and the built-in
// namespace. Pure.
#pragma once

#include "scalers/reading.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// Passed to a scaler while its block is read: says which names exist and records which are used, so
// that a declared label without effect is reported.
class ParameterNames {
 public:
  explicit ParameterNames(std::vector<std::string> declared) : declared_(std::move(declared)) {}

  // Marks `name` as used; false when it is neither declared nor built in.
  bool use(std::string_view name);
  // Declared labels that nothing used, in the order of their declaration.
  [[nodiscard]] std::vector<std::string> unused() const;
  [[nodiscard]] bool is_used(std::string_view name) const { return used_.contains(name); }
  // "$(namespace), $(queue)": the names that exist, for messages.
  [[nodiscard]] std::string listed() const;

 private:
  std::vector<std::string> declared_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace weir::scalers
