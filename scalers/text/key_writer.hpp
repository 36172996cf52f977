// Writes the key of a cache out of several texts. A text follows its length, so that no two lists
// of texts share a key, whatever bytes callers put into the texts. For memory alone: the bytes
// depend on the machine. Every read makes such keys, so that they are not
// formatted. Pure.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers {

class KeyWriter {
 public:
  // Room for `typical_bytes`; a longer key is fine.
  explicit KeyWriter(std::size_t typical_bytes) : bytes_(typical_bytes, '\0') {}

  // A count or an index, of 4 bytes.
  void add(std::uint32_t number) {
    reserve_more(sizeof number);
    write(&number, sizeof number);
  }
  // Less than 4 GiB.
  void add(std::string_view text) {
    assert(text.size() <= std::numeric_limits<std::uint32_t>::max());
    reserve_more(sizeof(std::uint32_t) + text.size());
    const auto size = static_cast<std::uint32_t>(text.size());
    write(&size, sizeof size);
    write(text.data(), text.size());
  }
  void clear() { size_ = 0; }

  // Valid until the next call of another function.
  [[nodiscard]] std::string_view view() const { return std::string_view(bytes_).substr(0, size_); }
  [[nodiscard]] std::string take() && {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  void reserve_more(std::size_t more) {
    if (bytes_.size() - size_ < more) bytes_.resize(2 * (size_ + more));
  }
  void write(const void* from, std::size_t size) {
    if (size > 0) std::memcpy(bytes_.data() + size_, from, size);
    size_ += size;
  }

  std::string bytes_;  // those after size_ mean nothing
  std::size_t size_ = 0;
};

}  // namespace weir::scalers
