// The servers of one Redis backend as a scaler sees them: commands() decides
// which server is queried. One server (client.hpp), the master that Sentinels name (sentinel.hpp),
// or the nodes of a cluster (cluster.hpp). Loop thread only.
#pragma once

#include "scalers/clients/client.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {

// The words of one command.
using RedisWords = std::vector<std::string>;

class RedisServers : public Client {
 public:
  // The replies to `all`, which are sent in one write, including error replies (see redis_error).
  // `key` is the one key that they read. Only for commands that read: what was lost with its
  // connection is sent again, once. Errc::unreachable, tls, refused, timed_out, bad_reply, and
  // partial when the servers themselves disagree about who is to be asked.
  [[nodiscard]] virtual awaitable<Result<std::vector<RedisReply>>>
  commands(std::string key, std::vector<RedisWords> all, Deadline deadline) = 0;
  // The reply to one command; otherwise as commands().
  [[nodiscard]] awaitable<Result<RedisReply>> command(std::string key,
                                                      RedisWords words,
                                                      Deadline deadline) {
    std::vector<RedisWords> all;
    all.push_back(std::move(words));
    auto replies = co_await commands(std::move(key), std::move(all), deadline);
    if (!replies) co_return replies.error();
    co_return std::move(replies->front());
  }
  [[nodiscard]] virtual ConnectionCounts connections() const = 0;
  // False where SCAN shows a part of the keys only.
  [[nodiscard]] virtual bool is_one_keyspace() const { return true; }
};

}  // namespace weir::scalers::clients
