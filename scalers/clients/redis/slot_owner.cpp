// MOVED needs no permission beyond that of the query, and a node of every version sends it. CLUSTER
// NODES would have the epochs, but few users of a metric may send it.
#include "scalers/clients/redis/slot_owner.hpp"

#include "scalers/clients/redis/client.hpp"
#include "scalers/clients/redis/redirect.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::scalers::clients {
namespace {

// Whether the error is about the node and not about the key.
bool is_of_node(const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::error) return false;
  const Errc code = redis_error(reply.text).code;
  return code == Errc::unreachable || code == Errc::refused || code == Errc::forbidden;
}

}  // namespace

bool is_about_key(const std::vector<RedisWords>& all, std::string_view key) {
  return std::ranges::any_of(all, [&](const RedisWords& words) {
    return std::find(words.begin() + 1, words.end(), key) != words.end();
  });
}

void add_opinion(SlotOpinions& opinions,
                 const RedisAddress& sender,
                 std::span<const RedisReply> replies) {
  const auto redirect = find_redirect(replies, sender);
  if (!redirect) return;
  if (*redirect && !(*redirect)->is_ask) {
    opinions.named.push_back((*redirect)->to);
  } else if (*redirect || !std::ranges::any_of(replies, is_of_node)) {
    // ASK comes from the holder that gives the slot away.
    opinions.claimants.push_back(sender);
  }
}

Result<std::optional<RedisAddress>> slot_owner(const SlotOpinions& opinions) {
  if (opinions.named.empty()) {
    if (opinions.claimants.empty()) return std::optional<RedisAddress>();
    return std::optional(opinions.claimants.front());
  }
  const auto votes = [&](const RedisAddress& address) {
    return std::ranges::count(opinions.named, address);
  };
  const auto winner = std::ranges::max_element(opinions.named, {}, votes);
  const auto is_rival = [&](const RedisAddress& address) {
    return address != *winner && votes(address) == votes(*winner);
  };
  if (std::ranges::any_of(opinions.named, is_rival)) {
    return Error{Errc::partial,
                 "the nodes of the cluster name different nodes for the key; is a failover in "
                 "progress?",
                 ""};
  }
  return std::optional(*winner);
}

}  // namespace weir::scalers::clients
