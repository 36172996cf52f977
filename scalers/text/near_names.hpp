// Names near to one that does not exist, as a diagnosis may show them. Pure; bounded in time, since
// a look runs on the loop thread and a database may hold any number of names.
#pragma once

#include "scalers/explanation.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// Who wrote the name that is missing: the configuration, or the caller by a parameter. A caller
// could try one name after another and read those of other tenants in the Status.
enum class NameOrigin { configuration, caller };

// At most this many names are compared, and this many pairs of letters in all.
inline constexpr std::size_t kMostCompared = 2000;
inline constexpr std::size_t kMostPairs = 1'000'000;

// The tail of a clause for `out.cause`: the names of `names` that are near to `wanted`, or for one
// of a caller how many there are; then they are added to `out.findings`. Empty when none is near.
[[nodiscard]] std::string near_names(NameOrigin origin,
                                     std::string_view wanted,
                                     std::span<const std::string_view> names,
                                     Diagnosis& out);

// Those of `names` that are worth comparing with `wanted`, within both bounds: the ones first that
// begin and end with the most of the same letters.
[[nodiscard]] std::vector<std::string_view> likely_names(std::string_view wanted,
                                                         std::span<const std::string_view> names);

}  // namespace weir::scalers
