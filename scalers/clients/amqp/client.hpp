// Queries RabbitMQ for queue lengths over AMQP: one persistent connection per vhost, shared by
// every metric. Loop thread only.
#pragma once

#include "scalers/clients/client.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/stream.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/task.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace weir::scalers::clients {

class Connection;
class Resolver;

struct AmqpTarget {
  StreamTarget stream;
  SecretFile username;  // both unset: SASL EXTERNAL with the client certificate
  SecretFile password;

  friend bool operator==(const AmqpTarget&, const AmqpTarget&) = default;
};

class AmqpClient final : public Client {
 public:
  // Both outlive the client.
  AmqpClient(Loop& loop,
             Resolver& resolver,
             AmqpTarget target,
             std::shared_ptr<TlsContexts> contexts = std::make_shared<TlsContexts>());
  ~AmqpClient() override;

  // Messages ready in the queue; excludes those delivered and not yet acknowledged. nullopt when
  // the vhost has no such queue (never 0). Errc::unknown_object when there is no such vhost,
  // refused, unreachable, tls, timed_out, forbidden, bad_reply, overloaded.
  [[nodiscard]] awaitable<Result<std::optional<std::uint64_t>>> ready_messages(std::string vhost,
                                                                               std::string queue,
                                                                               Deadline deadline);
  void close() override;
  void check_credentials(SteadyTime now) override;
  // Of all vhosts together.
  [[nodiscard]] ConnectionCounts connections() const;
  [[nodiscard]] const AmqpTarget& target() const { return target_; }

 private:
  struct VhostConnection {
    std::shared_ptr<Connection> connection;  // also owned by every query in flight
    SteadyTime used_at;
  };

  // nullptr when too many vhosts are queried at the same time.
  std::shared_ptr<Connection> connection_to(const std::string& vhost);
  // Closes the connection that has been idle for longest; false when all are in use.
  bool drop_idle();

  Loop& loop_;
  Resolver& resolver_;
  AmqpTarget target_;
  std::shared_ptr<TlsContexts> contexts_;               // also owned by the other clients
  std::shared_ptr<ConnectionCounts> counts_;            // also owned by the links
  std::map<std::string, VhostConnection> connections_;  // by vhost, at most 32
  bool is_closed_ = false;
};

}  // namespace weir::scalers::clients
