#include "test/fuzz/property.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace weir::fuzz {

void require(bool holds, std::string_view property) {
  if (holds) return;
  std::fprintf(stderr,
               "this does not hold: %.*s\n",
               static_cast<int>(property.size()),
               property.data());
  std::abort();
}

std::vector<std::vector<char>> pieces_of(std::string_view bytes, std::size_t seed) {
  if (seed == 0) return {{bytes.begin(), bytes.end()}};
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
  const std::size_t longest = std::size_t{1} << random() % 8;
  std::vector<std::vector<char>> out;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, 1 + random() % longest);
    out.emplace_back(piece.begin(), piece.end());
    bytes.remove_prefix(piece.size());
  }
  return out;
}

}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> input(data, data + size);
  weir::fuzz::run(weir::fuzz::view_of(input));
  return 0;
}
