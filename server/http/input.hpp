// Bytes that a connection has sent and that are not parsed yet. Loop thread only.
#pragma once

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::server {

class SessionInput {
 public:
  // The received bytes; valid until the next call of a non-const function.
  [[nodiscard]] std::string_view bytes() const { return {buffer_.data(), size_}; }
  [[nodiscard]] bool is_empty() const { return size_ == 0; }

  // Bytes of memory that the buffer holds.
  [[nodiscard]] std::size_t capacity() const { return buffer_.capacity(); }

  // Free space after the received bytes. Call add() with the number of bytes read into it.
  [[nodiscard]] boost::asio::mutable_buffer room() {
    // The buffer never shrinks here, because zeroing it for each read costs more than the copy.
    if (buffer_.size() < size_ + kReadBytes) buffer_.resize(size_ + kReadBytes);
    return boost::asio::buffer(buffer_.data() + size_, kReadBytes);
  }
  void add(std::size_t size) { size_ += size; }

  // Removes the first `size` bytes, and frees a buffer that a long head has made large.
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
