// Which node of a cluster holds a slot, by the replies of several nodes. Pure.
#pragma once

#include "scalers/clients/redis/nodes.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/clients/redis/servers.hpp"
#include "scalers/error.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

// What nodes say about one slot.
struct SlotOpinions {
  std::vector<RedisAddress> named;      // where each MOVED leads: one a node
  std::vector<RedisAddress> claimants;  // the nodes that responded as the holder
};

// Whether one of the commands is about `key`: a node redirects no other ones.
[[nodiscard]] bool is_about_key(const std::vector<RedisWords>& all, std::string_view key);

// Adds what `sender` says by its replies to commands about a key of the slot. A node that is
// loading its data, is cut off from its cluster or refuses the user has no opinion.
void add_opinion(SlotOpinions& opinions,
                 const RedisAddress& sender,
                 std::span<const RedisReply> replies);

// The node that most others name. A claimant counts only where no node is named, because it may be
// the node in question under another name. nullopt: there is no opinion. Errc::partial when two
// nodes are named equally often.
[[nodiscard]] Result<std::optional<RedisAddress>> slot_owner(const SlotOpinions& opinions);

}  // namespace weir::scalers::clients
