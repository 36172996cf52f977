// Checks the frames of an AMQP broker before the codec reads them: unexpected ones are rejected
// unread, so that a broker cannot make Weir spend memory or time. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::scalers::clients {

class AmqpGuard {
 public:
  static constexpr std::uint16_t kMaxChannels = 16;
  static constexpr std::uint32_t kMaxFrameBytes = 16 * 1024;  // with head and end, as in tune

  // False when the stream, with `bytes`, contains anything but heartbeats and methods on our
  // channels, each within its size limit. "AMQP..." at the start, with which a broker requests
  // another protocol version, is accepted.
  [[nodiscard]] bool accept(std::string_view bytes);

 private:
  bool take_head();

  std::string head_;
  std::size_t left_ = 0;  // bytes of the current frame, with its end
  bool has_started_ = false;
  bool is_ended_ = false;  // nothing may follow a protocol header
};

}  // namespace weir::scalers::clients
