// What of an AMQP broker's bytes the codec gets to see.
#include "scalers/clients/amqp/guard.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers::clients {
namespace {

using namespace std::string_literals;

std::string frame(char type, int channel, std::size_t size) {
  std::string out{type,
                  static_cast<char>(channel >> 8),
                  static_cast<char>(channel),
                  static_cast<char>(size >> 24U),
                  static_cast<char>(size >> 16U),
                  static_cast<char>(size >> 8U),
                  static_cast<char>(size)};
  return out + std::string(size, 'x') + '\xce';
}

struct Row {
  std::string_view name;
  std::string bytes;
  bool is_accepted;
};

TEST_CASE("only heartbeats and methods on Weir's channels are accepted") {
  const Row rows[] = {
      {"a method", frame(1, 0, 4), true},
      {"a method on the last channel", frame(1, 16, 100), true},
      {"the largest method", frame(1, 1, 16 * 1024 - 8), true},
      {"a heartbeat", frame(8, 0, 0), true},
      {"one after the other", frame(1, 0, 4) + frame(8, 0, 0) + frame(1, 3, 9), true},
      {"a protocol header", "AMQP\0\0\x09\x01"s, true},
      {"nothing", "", true},
      {"a channel beyond ours", frame(1, 17, 4), false},
      {"the last channel there is", frame(1, 65535, 4), false},
      {"a heartbeat on a channel", frame(8, 1, 0), false},
      {"a heartbeat with content", frame(8, 0, 1), false},
      {"a method without its number", frame(1, 1, 3), false},
      {"a method over its size", frame(1, 1, 16 * 1024 - 7), false},
      {"a size beyond all", "\x01\0\x01\xff\xff\xff\xff"s, false},
      {"a content header", frame(2, 1, 14), false},
      {"a content body", frame(3, 1, 14), false},
      {"an unknown type", frame(4, 1, 4), false},
      {"a protocol header after a frame", frame(8, 0, 0) + "AMQP\0\0\x09\x01"s, false},
      {"a frame after a protocol header", "AMQP\0\0\x09\x01"s + frame(8, 0, 0), false},
      {"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      AmqpGuard whole;

      CHECK(whole.accept(row.bytes) == row.is_accepted);
    }
  }
}

TEST_CASE("bytes are checked alike in any pieces") {
  const std::string good = frame(1, 2, 40) + frame(8, 0, 0) + frame(1, 16, 4);
  const std::string bad = good + frame(1, 17, 4);
  AmqpGuard guard;
  AmqpGuard other;
  bool is_good = true;
  bool is_bad = true;

  for (const char byte : good) is_good = is_good && guard.accept({&byte, 1});
  for (const char byte : bad) is_bad = is_bad && other.accept({&byte, 1});

  CHECK(is_good);
  CHECK_FALSE(is_bad);
}

}  // namespace
}  // namespace weir::scalers::clients
