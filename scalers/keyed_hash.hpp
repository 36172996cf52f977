// The hash of every table whose keys callers choose. It depends on a random key of the process, so
// that nobody outside can find keys which collide: std::hash has no key, and a chain of 9,000
// colliding keys makes each look-up 12 times as expensive. Not for signatures. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::scalers {

class KeyedHash {
 public:
  // With the key of this process, which is taken from the kernel at the first use.
  KeyedHash() : KeyedHash(process_key()) {}

  // Texts of up to 256 bytes that differ have equal hashes with a probability below 2^-60, over all
  // keys; longer texts with about that.
  // Not noexcept on purpose: libstdc++ then stores each key's hash beside it, and does not compute
  // it again for every key of a bucket that it passes.
  [[nodiscard]] std::size_t operator()(std::string_view text) const;

 private:
  static constexpr std::size_t kBlocks = 16;  // of 16 bytes each, with keys of their own
  struct Key {
    std::array<std::uint64_t, 2 * kBlocks> of_blocks;
    std::uint64_t of_sums;    // odd
    std::uint64_t of_chunks;  // odd
  };

  explicit KeyedHash(const Key& key) : key_(&key) {}
  [[nodiscard]] static const Key& process_key();

  const Key* key_;  // never null
};

}  // namespace weir::scalers
