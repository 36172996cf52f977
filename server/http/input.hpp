// What a connection has sent and nobody has taken yet. Loop thread only.
#pragma once

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::server {

class SessionInput {
 public:
  // The bytes that have come; good until the next call that is not const.
  [[nodiscard]] std::string_view bytes() const { return {buffer_.data(), size_}; }
  [[nodiscard]] bool is_empty() const { return size_ == 0; }

  // Bytes that are set aside, taken or not.
  [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

  // Room behind them; what came in is then told to `add`.
  [[nodiscard]] boost::asio::mutable_buffer room() {
    // The buffer keeps its size: to write zeros for each read costs more than the read's copy.
    if (buffer_.size() < size_ + kReadBytes) buffer_.resize(size_ + kReadBytes);
    return boost::asio::buffer(buffer_.data() + size_, kReadBytes);
  }
  void add(std::size_t size) { size_ += size; }

  // Takes the first `size` bytes away, and a buffer that a long head has made big.
  void drop(std::size_t size) {
    std::copy(buffer_.data() + size, buffer_.data() + size_, buffer_.data());
    size_ -= size;
    if (is_empty() && buffer_.capacity() > 2 * kReadBytes) std::string().swap(buffer_);
  }

 private:
  static constexpr std::size_t kReadBytes = 4096;

  std::string buffer_;  // longer than size_
  std::size_t size_ = 0;
};

}  // namespace weir::server
