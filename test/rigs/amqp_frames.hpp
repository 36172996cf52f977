// AMQP 0-9-1 frames by hand: what a broker and Weir say of the few methods that a passive declare
// takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::test::amqp {

inline std::string big_endian(std::uint64_t value, int width) {
  std::string out;
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xffU);
  return out;
}
inline std::string u8(std::uint64_t value) { return big_endian(value, 1); }
inline std::string u16(std::uint64_t value) { return big_endian(value, 2); }
inline std::string u32(std::uint64_t value) { return big_endian(value, 4); }
inline std::string short_text(std::string_view text) { return u8(text.size()) + std::string(text); }
inline std::string long_text(std::string_view text) { return u32(text.size()) + std::string(text); }

inline std::string frame(int type, unsigned channel, const std::string& payload) {
  return u8(static_cast<unsigned>(type)) + u16(channel) + u32(payload.size()) + payload + "\xce";
}
inline std::string method(unsigned channel,
                          unsigned kind,
                          unsigned id,
                          const std::string& arguments) {
  return frame(1, channel, u16(kind) + u16(id) + arguments);
}

// What a broker says.
inline std::string start() {
  return method(0,
                10,
                10,
                u8(0) + u8(9) + u32(0) + long_text("PLAIN AMQPLAIN") + long_text("en_US"));
}
inline std::string tune(unsigned channels = 2047,
                        unsigned frame_max = 131072,
                        unsigned seconds = 60) {
  return method(0, 10, 30, u16(channels) + u32(frame_max) + u16(seconds));
}
inline std::string open_ok() { return method(0, 10, 41, short_text("")); }
inline std::string channel_open_ok(unsigned channel) {
  return method(channel, 20, 11, long_text(""));
}
inline std::string declare_ok(unsigned channel, std::string_view queue, unsigned ready) {
  return method(channel, 50, 11, short_text(queue) + u32(ready) + u32(0));
}
inline std::string channel_close(unsigned channel, unsigned code, std::string_view text) {
  return method(channel, 20, 40, u16(code) + short_text(text) + u16(50) + u16(10));
}
inline std::string connection_close(unsigned code, std::string_view text) {
  return method(0, 10, 50, u16(code) + short_text(text) + u16(0) + u16(0));
}

// What Weir says.
inline std::string open(std::string_view vhost) {
  return method(0, 10, 40, short_text(vhost) + short_text("") + u8(0));
}
inline std::string channel_open(unsigned channel) {
  return method(channel, 20, 10, short_text(""));
}
inline std::string passive_declare(unsigned channel, std::string_view queue) {
  return method(channel, 50, 10, u16(0) + short_text(queue) + u8(1) + u32(0));
}
inline std::string channel_close_ok(unsigned channel) { return method(channel, 20, 41, ""); }
inline std::string connection_close_ok() { return method(0, 10, 51, ""); }

}  // namespace weir::test::amqp
