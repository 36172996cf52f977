// Counts bytes only: the frame's content is left to the codec.
#include "scalers/clients/amqp/guard.hpp"

#include <algorithm>

namespace weir::scalers::clients {
namespace {

// AMQP 0-9-1, section 4.2.3: the head, the payload, and one byte at the end.
constexpr std::size_t kHeadBytes = 7;  // type, channel, size
constexpr std::size_t kProtocolHeaderBytes = 8;
constexpr std::uint32_t kMethodIdBytes = 4;
constexpr char kMethod = 1;
constexpr char kHeartbeat = 8;

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t out = 0;
  for (const char byte : bytes) out = out << 8U | static_cast<unsigned char>(byte);
  return out;
}

}  // namespace

bool AmqpGuard::accept(std::string_view bytes) {
  // No frame type is 'A', so that the first byte identifies a protocol header. After such a
  // header the broker closes the socket (section 4.2.2).
  if (!has_started_ && bytes.starts_with('A')) left_ = kProtocolHeaderBytes;
  is_ended_ = is_ended_ || (!has_started_ && left_ > 0);
  has_started_ = has_started_ || !bytes.empty();
  while (!bytes.empty()) {
    if (left_ > 0) {
      const std::size_t count = std::min(left_, bytes.size());
      bytes.remove_prefix(count);
      left_ -= count;
      continue;
    }
    if (is_ended_) return false;
    const std::size_t count = std::min(kHeadBytes - head_.size(), bytes.size());
    head_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    if (head_.size() == kHeadBytes && !take_head()) return false;
  }
  return true;
}

bool AmqpGuard::take_head() {
  const char type = head_[0];
  const std::uint32_t channel = big_endian(std::string_view(head_).substr(1, 2));
  const std::uint32_t size = big_endian(std::string_view(head_).substr(3, 4));
  head_.clear();
  // Section 4.2.7: heartbeats are on channel 0, and have no payload.
  if (type == kHeartbeat && (channel != 0 || size != 0)) return false;
  if (type == kMethod && (channel > kMaxChannels || size < kMethodIdBytes)) return false;
  // With the byte at the end, which the codec checks.
  left_ = std::size_t{size} + 1;
  // Content frames (types 2 and 3) are unexpected, because Weir takes no messages from queues.
  return (type == kMethod || type == kHeartbeat) && size + kHeadBytes + 1 <= kMaxFrameBytes;
}

}  // namespace weir::scalers::clients
