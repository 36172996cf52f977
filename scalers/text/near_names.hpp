// Names similar to one that does not exist, in the form in which a diagnosis may report them. Pure;
// bounded in time, because a diagnosis runs on the loop thread and a database may have any number
// of names.
#pragma once

#include "scalers/explanation.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// Who wrote the missing name: the configuration, or the caller by a parameter. A caller could try
// one name after another and read the names of other tenants in the Status.
enum class NameOrigin { configuration, caller };

// At most this many names are compared, and this many pairs of letters in all.
inline constexpr std::size_t kMostCompared = 2000;
inline constexpr std::size_t kMostPairs = 1'000'000;

// The end of a clause for `out.cause`: the members of `names` that are similar to `wanted`. For a
// name of a caller only their number, and the names are added to `out.findings`. Empty when no name
// is similar.
[[nodiscard]] std::string near_names(NameOrigin origin,
                                     std::string_view wanted,
                                     std::span<const std::string_view> names,
                                     Diagnosis& out);

// The members of `names` to compare with `wanted`, within both bounds: first those with the longest
// common prefix and suffix.
[[nodiscard]] std::vector<std::string_view> likely_names(std::string_view wanted,
                                                         std::span<const std::string_view> names);

}  // namespace weir::scalers
