// Queries Redis over one persistent, pipelined connection, shared by every metric of the backend.
// Loop thread only.
#pragma once

#include "scalers/clients/client.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/stream.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/task.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

class Connection;
class Resolver;

struct RedisTarget {
  StreamTarget stream;
  SecretFile username;  // unset: the default user
  SecretFile password;  // unset: no AUTH
  std::uint32_t database = 0;

  friend bool operator==(const RedisTarget&, const RedisTarget&) = default;
};

class RedisClient final : public Client {
 public:
  // Both outlive the client.
  RedisClient(Loop& loop, Resolver& resolver, const RedisTarget& target);
  ~RedisClient() override;

  // The reply to one command, including error replies (see redis_error). Only for commands that
  // read: a command that was lost with its connection is sent again, once. Errc::unreachable, tls,
  // refused, timed_out, bad_reply.
  [[nodiscard]] awaitable<Result<RedisReply>> command(std::vector<std::string> words,
                                                      Deadline deadline);
  void close() override;
  [[nodiscard]] ConnectionCounts connections() const;
  [[nodiscard]] const RedisTarget& target() const { return target_; }

 private:
  Loop& loop_;
  RedisTarget target_;
  std::shared_ptr<ConnectionCounts> counts_;  // also owned by the links
  std::unique_ptr<Connection> connection_;
};

// What an error reply means: NOAUTH and WRONGPASS -> refused, NOPERM -> forbidden, LOADING ->
// unreachable, and so on. Its text becomes Error::remote, without the texts of `redactions`.
[[nodiscard]] Error redis_error(std::string_view text,
                                std::span<const std::string> redactions = {});

}  // namespace weir::scalers::clients
