// The servers of one backend whose addresses other servers name, and a client for each. Loop thread
// only.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/redis/client.hpp"
#include "scalers/task.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

class Resolver;

struct RedisAddress {
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;

  friend auto operator<=>(const RedisAddress&, const RedisAddress&) = default;
};

// Whether `host`, which another server has named, can be a host name or an IP address: what is
// neither is not looked up.
[[nodiscard]] bool is_host(std::string_view host);

// Adds what `counts` has opened, closed and failed to `sum`.
void add_counts(ConnectionCounts& sum, const ConnectionCounts& counts);

struct RedisNode {
  std::shared_ptr<RedisClient> client;             // also owned by the coroutines that wait for it
  std::shared_ptr<const ConnectionCounts> counts;  // also owned by the client
  bool has_answered = false;                       // its address was right at least once
  // Of a cluster: it has replied to a query. Lost connections to a node that was only asked about
  // another one are no outages of the backend.
  bool has_served = false;
  // Of a cluster: it is believed to hold its slots while it has opened no more connections than
  // this. 0 once it was slow or has failed, because it may have been replaced meanwhile.
  std::uint64_t trusted_connections = 1;
  // Of a cluster: it did not respond in time the last time that it was asked about another node.
  bool is_late = false;
};
using RedisNodePtr = std::shared_ptr<RedisNode>;

class RedisNodes {
 public:
  // Redis' own limit for a cluster.
  static constexpr std::size_t kMaxNodes = 1'000;
  // A reply that took longer is asked for again: the server may have been stopped, and its place
  // taken by another one meanwhile.
  static constexpr Duration kPrompt{100};
  // Whether a new connection to one node ends the outage of all, because they take each other's
  // place, or only its own.
  enum class Outages { together, apart };

  // Every node has the login, the database and the TLS settings of `common`, whose host and port
  // are not used.
  RedisNodes(Loop& loop,
             Resolver& resolver,
             RedisTarget common,
             Outages outages,
             std::shared_ptr<TlsContexts> contexts)
      : loop_(loop),
        resolver_(resolver),
        contexts_(std::move(contexts)),
        common_(std::move(common)),
        outages_(outages),
        counts_(std::make_shared<ConnectionCounts>()) {}

  // The node at `address`. Beyond kMaxNodes all others are closed first: a server that names ever
  // new addresses must not cost memory without end.
  [[nodiscard]] RedisNodePtr at(const RedisAddress& address);
  // Closes every node except that at `address`, because it has become the only one to ask.
  void retain(const RedisAddress& address);
  [[nodiscard]] std::vector<RedisAddress> addresses() const;
  void close();
  void check_credentials(SteadyTime now);
  [[nodiscard]] ConnectionCounts connections() const;

 private:
  Loop& loop_;
  Resolver& resolver_;
  std::shared_ptr<TlsContexts> contexts_;  // also owned by the other clients
  RedisTarget common_;
  Outages outages_;
  // Of every node, also of those that are gone; with outages apart, only of those.
  std::shared_ptr<ConnectionCounts> counts_;
  std::map<RedisAddress, RedisNodePtr> nodes_;
  bool is_closed_ = false;
};

// `error` of the node at an address that another server named. When no node has ever answered
// there, the text says which setting announces another address: `setting` of redis.conf.
[[nodiscard]] Error unreachable_node(const RedisNode& node,
                                     const Error& error,
                                     std::string_view who,
                                     std::string_view setting);

}  // namespace weir::scalers::clients
