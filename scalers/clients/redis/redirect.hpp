// What a cluster's client has to know of its protocol: the slot of a key, and the redirects MOVED
// and ASK. Pure.
#pragma once

#include "scalers/clients/redis/nodes.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/clients/redis/servers.hpp"
#include "scalers/error.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

inline constexpr std::uint16_t kSlots = 16'384;

// The slot of `key`: CRC-16 (XMODEM) of the key, or of its hash tag, the text between the first "{"
// and the next "}" unless that is empty.
[[nodiscard]] std::uint16_t slot_of(std::string_view key);

struct Redirect {
  bool is_ask = false;  // for this question only; otherwise the slot has moved for good
  RedisAddress to;
};

// The redirect among `replies`, if any: "MOVED SLOT HOST:PORT", "ASK ...", either also after "ERR
// ". An empty host is that of `sender`, the node that sent the replies. Errc::bad_reply for a
// redirect without an address: a cluster that announces host names and has none for the node writes
// "?".
[[nodiscard]] Result<std::optional<Redirect>> find_redirect(std::span<const RedisReply> replies,
                                                            const RedisAddress& sender);

// `all` for the node that an ASK names: it counts the key as its own only after ASKING, once for a
// command, once for a transaction.
[[nodiscard]] std::vector<RedisWords> with_asking(const std::vector<RedisWords>& all);
// The replies to `all` among those to with_asking(all).
[[nodiscard]] std::vector<RedisReply> without_asking(const std::vector<RedisWords>& all,
                                                     std::vector<RedisReply> replies);

}  // namespace weir::scalers::clients
