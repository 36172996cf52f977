// The Accept header, parsed as Kubernetes does. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {

// One clause: `application/json;as=Table;v=v1;q=0.5`. Types are case-sensitive.
struct AcceptClause {
  std::string type;
  std::string subtype;
  std::vector<std::pair<std::string, std::string>> parameters;  // all but q
  double quality = 1;        // 0 for an invalid number; 0 does not exclude the type
  std::size_t position = 0;  // in the header

  // The value of a parameter; empty when there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  // Whether the clause accepts `type/subtype`, by name or by `*`.
  [[nodiscard]] bool takes(std::string_view wanted_type, std::string_view wanted_subtype) const;
};

// The clauses by quality, then named types before `*`, then as they came. Invalid ones
// are ignored.
[[nodiscard]] std::vector<AcceptClause> parse_accept(std::string_view header);

}  // namespace weir::apiservice
