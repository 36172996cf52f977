// The lag of a consumer group, held against its stream: Redis 7.0 counts entries that were trimmed
// before the group read them. Apart from the other replies, because it remembers. Loop thread only.
#pragma once

#include "scalers/backends/redis/redis.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace weir::scalers::backends::redis {

// The lag that the ids in XINFO GROUPS and XINFO STREAM show by themselves: 0 for a group that has
// read the last entry, the length of the stream for one that has read none of its entries. nullopt
// in between, or without these fields.
[[nodiscard]] std::optional<double> exact_lag(const Subject& subject,
                                              const clients::RedisReply& groups,
                                              const clients::RedisReply& stream);

// The lag after XINFO STREAM, sent in one write after XINFO GROUPS, because the lag of Redis 7.0
// has entries that were trimmed before the group read them: 0 for a group that has read the last
// entry, and the length of the stream for one that has read none of its entries, whatever number or
// nil Redis reports. Errc::bad_reply for a lag above what the length leaves, refused where XINFO
// STREAM is not permitted. Otherwise `lag`.
[[nodiscard]] Result<std::optional<double>> with_stream(const Subject& subject,
                                                        Result<std::optional<double>> lag,
                                                        const clients::RedisReply& groups,
                                                        const clients::RedisReply& stream);

// Of one metric.
class LagCheck {
 public:
  // Groups, because a selector may name them.
  static constexpr std::size_t kMaxWrong = 1'000;

  // As with_stream(), and Errc::bad_reply for a group whose lag was wrong when it was last seen
  // beside an exact one: what was trimmed before it was read stays in the lag.
  [[nodiscard]] Result<std::optional<double>> check(const Subject& subject,
                                                    Result<std::optional<double>> lag,
                                                    const clients::RedisReply& groups,
                                                    const clients::RedisReply& stream);

 private:
  std::set<std::pair<std::string, std::string>> wrong_;  // keys and groups
};

}  // namespace weir::scalers::backends::redis
