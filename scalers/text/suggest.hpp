// "Did you mean": the names nearest to a mistyped one. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// At most `most` of `names`, nearest first, whose edit distance is small enough to be a typing
// error of `wanted`; letter case and '-', '_', '.' are ignored. Names of equal distance are in
// alphabetical order.
[[nodiscard]] std::vector<std::string> nearest(std::string_view wanted,
                                               std::span<const std::string_view> names,
                                               std::size_t most = 3);

// The same as the end of a sentence: "; did you mean \"a\" or \"b\"?", or empty when no name is
// near.
[[nodiscard]] std::string did_you_mean(std::string_view wanted,
                                       std::span<const std::string_view> names);

}  // namespace weir::scalers
