// What policies need to know of the parts of an aggregated value, such as the series of a query or
// the queues of a pattern: a sum must not hide a part that no policy would accept. Pure.
#pragma once

#include "scalers/error.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers {

struct NegativeParts {
  double least;           // the most negative part
  double with_zeros;      // the aggregate with 0 in place of each negative part
  std::size_t negative;   // how many parts are negative
  std::size_t all;        // how many parts there are
  std::string_view noun;  // a literal in the plural: "series"
};

// Null unless there are several parts of which one is negative. A single part is the value itself.
// `aggregate` makes a double of parts.
template <class Aggregate>
[[nodiscard]] std::shared_ptr<const NegativeParts> negative_parts(std::vector<double> parts,
                                                                  std::string_view noun,
                                                                  Aggregate aggregate) {
  const auto negative = std::ranges::count_if(parts, [](double part) { return part < 0; });
  if (parts.size() < 2 || negative == 0) return nullptr;
  const double least = std::ranges::min(parts);
  for (double& part : parts) part = part < 0 ? 0 : part;
  return std::make_shared<const NegativeParts>(NegativeParts{least,
                                                             aggregate(parts),
                                                             static_cast<std::size_t>(negative),
                                                             parts.size(),
                                                             noun});
}

// Errc::out_of_range when one of several parts is beyond what an HPA can read: an average, a
// minimum or a limit of the aggregate would hide it. nullopt otherwise; infinities and NaN are for
// policies.
[[nodiscard]] std::optional<Error> part_out_of_range(const std::vector<double>& parts,
                                                     std::string_view noun);

}  // namespace weir::scalers
