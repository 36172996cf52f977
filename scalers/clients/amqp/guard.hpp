// Looks at the frames of an AMQP broker before the codec does: what nobody asked for is refused
// unread, so that neither its memory nor its time is the broker's to choose. Pure.
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

  // False when the stream, with `bytes`, holds anything but methods on our channels and heartbeats,
  // each within its size. A broker's "AMQP..." at the very start, its word for another version, is
  // let through.
  [[nodiscard]] bool accept(std::string_view bytes);

 private:
  bool take_head();

  std::string head_;
  std::size_t left_ = 0;  // bytes of the open frame, with its end
  bool has_begun_ = false;
  bool is_over_ = false;  // behind a protocol header nothing follows
};

}  // namespace weir::scalers::clients
