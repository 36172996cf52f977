// "Did you mean": the names nearest to a mistyped one. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// At most `most` of `names`, nearest first, whose edit distance (letter case and '-', '_', '.'
// count little) is small enough to be a typing error of `wanted`; names equal in distance stand in
// alphabetical order.
[[nodiscard]] std::vector<std::string> nearest(std::string_view wanted,
                                               std::span<const std::string_view> names,
                                               std::size_t most = 3);

// The same as a sentence's tail: "; did you mean \"a\" or \"b\"?", or empty when nothing is near.
[[nodiscard]] std::string did_you_mean(std::string_view wanted,
                                       std::span<const std::string_view> names);

}  // namespace weir::scalers
