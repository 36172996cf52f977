#include "scalers/keyed_hash.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace weir::scalers {
namespace {

TEST_CASE("equal texts have equal hashes, wherever they lie") {
  const KeyedHash hash;
  for (std::size_t size = 0; size < 600; ++size) {
    const std::string text(size, 'x');
    const std::string other = "y" + text;

    CHECK(hash(text) == KeyedHash()(std::string_view(other).substr(1)));
  }
}

TEST_CASE("every bit and every size of a text counts") {
  const KeyedHash hash;
  std::set<std::size_t> hashes;
  std::size_t texts = 0;
  for (std::size_t size = 0; size < 600; size += size < 70 ? 1 : 53) {
    std::string text(size, '\0');
    hashes.insert(hash(text));
    ++texts;
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
      hashes.insert(hash(text));
      ++texts;
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    }
  }

  CHECK(hashes.size() == texts);
}

// The most keys in one bucket of a table with the keys.
template <class Hash>
std::size_t longest_chain(const std::vector<std::string>& keys) {
  const std::unordered_set<std::string, Hash> table(keys.begin(), keys.end());
  std::size_t longest = 0;
  for (std::size_t bucket = 0; bucket < table.bucket_count(); ++bucket)
    longest = std::max(longest, table.bucket_size(bucket));
  return longest;
}

TEST_CASE("numbered keys are spread over the buckets of a table") {
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back("queue-" + std::to_string(i));

  // 8 or 9 for a random function; 25 is beyond chance.
  CHECK(longest_chain<KeyedHash>(keys) < 25);
}

// 2^pairs texts with one std::hash, which is MurmurHash64A in libstdc++ and has no key: the word of
// a text goes through mixed(), and two words that differ after it in their highest bit alone cancel
// out (Aumasson and Bernstein, 2012).
std::vector<std::string> colliding(std::size_t pairs) {
  constexpr std::uint64_t kInverse = 0x5f7a0ea7e59b19bd;  // of 0xc6a4a7935bd1e995, modulo 2^64
  const auto unmixed = [](std::uint64_t word) {
    word *= kInverse;
    word ^= word >> 47;
    return word * kInverse;
  };
  std::vector<std::string> out{""};
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    std::vector<std::string> longer;
    for (const std::uint64_t bit : {std::uint64_t{0}, std::uint64_t{1} << 63}) {
      const std::array words{unmixed(2 * pair + bit), unmixed(2 * pair + 1 + bit)};
      std::string block(sizeof words, ' ');
      std::memcpy(block.data(), words.data(), sizeof words);
      for (const std::string& text : out) longer.push_back(text + block);
    }
    out = std::move(longer);
  }
  return out;
}

TEST_CASE("S45: keys that collide in std::hash are spread like others") {
  const auto keys = colliding(12);
  REQUIRE(longest_chain<std::hash<std::string>>(keys) == keys.size());

  CHECK(longest_chain<KeyedHash>(keys) < 25);
}

}  // namespace
}  // namespace weir::scalers
