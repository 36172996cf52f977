// A Redis cluster: each key is asked of the node that holds it. Where that is, the nodes say
// themselves, by MOVED and ASK; only slots that were asked for are remembered. A node that was slow
// or lost its connection is believed once others say that it holds the slot: it may have been
// stopped while another one took its place, and not have heard of it. Loop thread only.
#pragma once

#include "scalers/clients/redis/nodes.hpp"
#include "scalers/clients/redis/servers.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace weir::scalers::clients {

class Resolver;

struct ClusterTarget {
  std::vector<RedisAddress> nodes;  // where to ask first; never empty
  RedisTarget common;               // login and TLS of every node; without host and port

  friend bool operator==(const ClusterTarget&, const ClusterTarget&) = default;
};

class ClusterServers final : public RedisServers {
 public:
  // How many other nodes are asked who holds a slot: all of three masters with a replica each.
  static constexpr std::size_t kMaxAsked = 5;
  // For how long the others are waited for once one has an opinion.
  static constexpr Duration kGrace{200};
  // Redis' nodes speak with each other every 100 ms.
  static constexpr Duration kBusRound{150};

  // `loop` and `resolver` outlive the client.
  ClusterServers(Loop& loop,
                 Resolver& resolver,
                 const ClusterTarget& target,
                 std::shared_ptr<TlsContexts> contexts)
      : loop_(loop),
        target_(target),
        nodes_(loop, resolver, target.common, RedisNodes::Outages::apart, std::move(contexts)) {}

  // MOVED and ASK are followed once each. A node that cannot be reached is left for another one,
  // which knows who holds the key now. Errc::unreachable also while the slots are being moved,
  // Errc::partial while the nodes disagree about the holder.
  [[nodiscard]] awaitable<Result<std::vector<RedisReply>>> commands(std::string key,
                                                                    std::vector<RedisWords> all,
                                                                    Deadline deadline) override;
  void close() override { nodes_.close(); }
  void check_credentials(SteadyTime now) override { nodes_.check_credentials(now); }
  [[nodiscard]] ConnectionCounts connections() const override { return nodes_.connections(); }
  [[nodiscard]] bool is_one_keyspace() const override { return false; }
  [[nodiscard]] const ClusterTarget& target() const { return target_; }

 private:
  // The way of one query through the cluster.
  struct Route {
    std::uint16_t slot = 0;
    std::vector<RedisAddress> untried;
    RedisAddress address;
    bool has_moved = false;
    bool has_asked = false;     // by ASK
    bool is_confirmed = false;  // other nodes were asked during the query whether it is the holder
  };

  // Whether the replies of the node count. Otherwise the route leads to the next one to ask.
  [[nodiscard]] awaitable<Result<bool>> confirm(Route* route,
                                                std::string key,
                                                std::vector<RedisWords> all,
                                                Deadline deadline);
  // The node that the others name as the holder of the slot; nullopt: no other one can be asked.
  [[nodiscard]] awaitable<Result<std::optional<RedisAddress>>> find_owner(
      RedisAddress doubtful,
      std::string key,
      std::vector<RedisWords> all,
      Deadline deadline);
  // Those that can probably respond come first, because at most kMaxAsked are asked.
  [[nodiscard]] std::vector<RedisAddress> others_to_ask(const RedisAddress& doubtful,
                                                        std::uint16_t slot);
  // Where to ask about a slot: where it was found last, then the configured nodes, the one that
  // answered last first, then those that the cluster has named.
  [[nodiscard]] std::vector<RedisAddress> candidates(std::uint16_t slot) const;
  // A configured node has answered, and is asked first from now on; or it has not, and the next one
  // is.
  void prefer(const RedisAddress& address, bool has_answered);
  // The node may no longer hold the slots that it had: others are asked first.
  void forget(const RedisAddress& address);

  Loop& loop_;
  ClusterTarget target_;
  RedisNodes nodes_;
  std::unordered_map<std::uint16_t, RedisAddress> slots_;  // at most kSlots
  std::size_t preferred_ = 0;                              // of target_.nodes: asked first
};

}  // namespace weir::scalers::clients
