// Queries Redis over one persistent, pipelined connection, shared by every metric of the backend.
// Loop thread only.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/stream.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/clients/redis/servers.hpp"
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
  bool is_cluster = false;  // the server has to be a node of a cluster

  friend bool operator==(const RedisTarget&, const RedisTarget&) = default;
};

class RedisClient final : public RedisServers {
 public:
  // `loop` and `resolver` outlive the client. Clients of one backend may share `counts`.
  RedisClient(Loop& loop,
              Resolver& resolver,
              const RedisTarget& target,
              std::shared_ptr<TlsContexts> contexts = std::make_shared<TlsContexts>(),
              std::shared_ptr<ConnectionCounts> counts = std::make_shared<ConnectionCounts>());
  ~RedisClient() override;

  // The key does not matter, because there is one server.
  [[nodiscard]] awaitable<Result<std::vector<RedisReply>>> commands(std::string key,
                                                                    std::vector<RedisWords> all,
                                                                    Deadline deadline) override;
  void close() override;
  void check_credentials(SteadyTime now) override;
  [[nodiscard]] ConnectionCounts connections() const override;
  [[nodiscard]] bool is_breaker_open() const;
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
