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
  // Those of a backend's own settings: the namespace alone, because labels belong to a metric.
  [[nodiscard]] static ParameterNames of_backend();

  // Marks `name` as used; false when it is neither declared nor built in.
  bool use(std::string_view name);
  // Declared labels that nothing used, in the order of their declaration.
  [[nodiscard]] std::vector<std::string> unused() const;
  [[nodiscard]] bool is_used(std::string_view name) const { return used_.contains(name); }
  // The problem of a name that use() refused.
  [[nodiscard]] std::string problem_of(std::string_view name) const;
  // "$(namespace), $(queue)": the names that exist, for messages.
  [[nodiscard]] std::string listed() const;

  // Marks the namespace as a part of requests that is not quoted, so that a read from a namespace
  // which is not a DNS label is an error before it is sent. Only a caller with permission for all
  // namespaces can have one.
  void send_namespace() {
    use(kNamespaceParameter);
    needs_dns_label_ = true;
  }
  [[nodiscard]] bool needs_dns_label() const { return needs_dns_label_; }

 private:
  std::vector<std::string> declared_;
  std::set<std::string, std::less<>> used_;
  bool is_backend_ = false;
  bool needs_dns_label_ = false;
};

}  // namespace weir::scalers
