// A Redis cluster: each key is asked of the node that holds it. Where that is, the nodes say
// themselves, by MOVED and ASK; only slots that were asked for are remembered. Loop thread only.
#pragma once

#include "scalers/clients/redis/nodes.hpp"
#include "scalers/clients/redis/servers.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
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
  // `loop` and `resolver` outlive the client.
  ClusterServers(Loop& loop,
                 Resolver& resolver,
                 const ClusterTarget& target,
                 std::shared_ptr<TlsContexts> contexts)
      : target_(target),
        nodes_(loop, resolver, target.common, RedisNodes::Outages::apart, std::move(contexts)) {}

  // MOVED and ASK are followed once each. A node that cannot be reached is left for another one,
  // which knows who holds the key now. Errc::unreachable also while the slots are being moved.
  [[nodiscard]] awaitable<Result<std::vector<RedisReply>>> commands(std::string key,
                                                                    std::vector<RedisWords> all,
                                                                    Deadline deadline) override;
  void close() override { nodes_.close(); }
  void check_credentials(SteadyTime now) override { nodes_.check_credentials(now); }
  [[nodiscard]] ConnectionCounts connections() const override { return nodes_.connections(); }
  [[nodiscard]] bool is_one_keyspace() const override { return false; }
  [[nodiscard]] const ClusterTarget& target() const { return target_; }

 private:
  [[nodiscard]] awaitable<Result<std::vector<RedisReply>>>
  commands_once(std::string key, std::vector<RedisWords> all, Deadline deadline);
  // Where to ask about a slot: where it was found last, then the configured nodes, the one that
  // answered last first, then those that the cluster has named.
  [[nodiscard]] std::vector<RedisAddress> candidates(std::uint16_t slot) const;
  // A configured node has answered, and is asked first from now on; or it has not, and the next one
  // is.
  void prefer(const RedisAddress& address, bool has_answered);

  ClusterTarget target_;
  RedisNodes nodes_;
  std::unordered_map<std::uint16_t, RedisAddress> slots_;  // at most kSlots
  std::size_t preferred_ = 0;                              // of target_.nodes: asked first
};

}  // namespace weir::scalers::clients
