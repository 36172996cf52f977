// Who is the master by the replies of Sentinels. Pure.
#pragma once

#include "scalers/clients/redis/nodes.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/clients/redis/servers.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::scalers::clients {

struct SentinelMaster {
  RedisAddress address;
  std::uint64_t epoch = 0;   // of its configuration: every failover has a higher one
  bool is_down = false;      // this Sentinel has not heard of the server for a while
  bool is_replaced = false;  // a majority has not, or a failover from the server is in progress
  bool is_of_all = false;    // every configured Sentinel has answered; set by newest_master()

  friend bool operator==(const SentinelMaster&, const SentinelMaster&) = default;
};

// What one Sentinel is asked about `service`.
[[nodiscard]] std::vector<RedisWords> master_commands(const std::string& service);

// Its replies. Errc::bad_reply when it does not monitor the service, or is not a Sentinel; refused
// where its user may not ask.
[[nodiscard]] Result<SentinelMaster> parse_master(const std::string& service,
                                                  std::span<const RedisReply> replies);

// The newest opinion: that with the highest epoch. A majority of the `configured` Sentinels has to
// have one, because a minority that is cut off does not hear of a failover; otherwise the first
// error, with how many answered. Errc::partial when they name different masters in one epoch, and
// when one takes the master for replaced, or most take it for down.
[[nodiscard]] Result<SentinelMaster> newest_master(std::span<const Result<SentinelMaster>> opinions,
                                                   std::size_t configured);

// Why the server that Sentinels name as the master does not count, by its reply to ROLE: nullopt
// from a master, Errc::partial from a replica, refused where the user may not ask.
[[nodiscard]] std::optional<Error> master_problem(const RedisReply& role);

}  // namespace weir::scalers::clients
