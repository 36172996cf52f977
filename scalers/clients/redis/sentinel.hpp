// Redis with Sentinels: every query asks them for the master, and counts only if ROLE, in the same
// write as the query, says master. No master is remembered between queries: one that was replaced
// while it was cut off answers as before. Loop thread only.
#pragma once

#include "scalers/clients/redis/nodes.hpp"
#include "scalers/clients/redis/sentinel_reply.hpp"
#include "scalers/clients/redis/servers.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/single_flight.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::clients {

class Resolver;

struct SentinelTarget {
  std::string service;                 // the name under which Sentinels know the master
  std::vector<RedisTarget> sentinels;  // each with the login of Sentinels
  RedisTarget master;                  // without host and port

  friend bool operator==(const SentinelTarget&, const SentinelTarget&) = default;
};

// One Sentinel, and whether it keeps up.
struct Sentinel {
  std::shared_ptr<RedisClient> client;
  bool is_heard = false;  // in the last round of questions
  // It did not answer in time then, and is not waited for until it does.
  bool is_late = false;
};

class SentinelServers final : public RedisServers {
 public:
  // For how long those that answered the last time are waited for once a majority has answered: one
  // of them may know a newer master.
  static constexpr Duration kGrace{500};
  // Of one round of questions, which reads with other deadlines share.
  static constexpr Duration kPollBudget{2'000};
  // How old a round may be that a query joins: its answer is as old as its beginning.
  static constexpr Duration kMaxRoundAge{100};

  // `loop` and `resolver` outlive the client.
  SentinelServers(Loop& loop,
                  Resolver& resolver,
                  const SentinelTarget& target,
                  const std::shared_ptr<TlsContexts>& contexts);

  // Errc::partial while the server that Sentinels name is not a master.
  [[nodiscard]] awaitable<Result<std::vector<RedisReply>>> commands(std::string key,
                                                                    std::vector<RedisWords> all,
                                                                    Deadline deadline) override;
  void close() override;
  void check_credentials(SteadyTime now) override;
  // Of the servers; what the Sentinels' connections opened, closed and failed is added.
  [[nodiscard]] ConnectionCounts connections() const override;
  [[nodiscard]] const SentinelTarget& target() const { return target_; }

 private:
  using Flight = SingleFlight<std::string, Result<SentinelMaster>>;

  [[nodiscard]] awaitable<Result<std::vector<RedisReply>>>
  commands_once(std::string key, std::vector<RedisWords> all, Deadline deadline);
  // What the Sentinels say now; concurrent queries share it.
  [[nodiscard]] awaitable<Result<SentinelMaster>> find_master(Deadline deadline);

  Loop& loop_;
  SentinelTarget target_;
  std::shared_ptr<ConnectionCounts> sentinel_counts_;
  std::vector<std::shared_ptr<Sentinel>> sentinels_;  // also owned by the coroutines that ask
  RedisNodes nodes_;
  Flight in_flight_;                // by service: there is one
  std::uint64_t newest_epoch_ = 0;  // the highest that any Sentinel has named
};

}  // namespace weir::scalers::clients
