// What the fuzz targets share: the entry that each of them defines, a property that must hold, and
// the cutting of a stream into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::fuzz {

// One run of the target over one input, which lies in a heap block of exactly its size. Defined
// once a target.
void run(std::string_view input);

// Ends the process with `property` as its last words when it does not hold.
void require(bool holds, std::string_view property);

// `bytes` cut somewhere, always alike for the same `seed`: from single bytes to long runs; one
// piece for seed 0. Each is a heap block of its own, so that a read behind its end is seen.
[[nodiscard]] std::vector<std::vector<char>> pieces_of(std::string_view bytes, std::size_t seed);

[[nodiscard]] inline std::string_view view_of(const std::vector<char>& piece) {
  return {piece.data(), piece.size()};
}

}  // namespace weir::fuzz
