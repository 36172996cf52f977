// Why Weir closes a connection of a caller in favor of others. A label of /metrics and a word of
// the log.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::server {

enum class Eviction {
  share,      // strangers had more than their share, and its address had the most of them
  pool,       // all connections were in use, and its address had the most strangers
  handshake,  // its handshake hung while others waited for their turn
  idle,       // all connections were in use, and this certified one was idle longest
  refused,    // all were in use and none could be closed: the new connection itself
};
inline constexpr std::size_t kEvictions = 5;

[[nodiscard]] constexpr std::string_view name_of(Eviction why) {
  switch (why) {
    case Eviction::share: return "share";
    case Eviction::pool: return "pool";
    case Eviction::handshake: return "handshake";
    case Eviction::idle: return "idle";
    case Eviction::refused: return "refused";
  }
  return "";
}

}  // namespace weir::server
