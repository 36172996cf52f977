// The clients that backends share, and the makers of those that each backend has for itself. Owned
// by the App and kept over reloads: looked-up names and HTTP connections live here. Loop thread
// only.
#pragma once

#include "scalers/clients/client.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <vector>

namespace weir::scalers {

namespace clients {
class AmqpClient;
class HttpClient;
class RedisClient;
class Resolver;
struct AmqpTarget;
struct RedisTarget;
}  // namespace clients

class Clients {
 public:
  explicit Clients(Loop& loop);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  ~Clients();

  [[nodiscard]] clients::HttpClient& http() { return *http_; }
  // The client of `target`, which backends share that ask the same server in the same way: a
  // reload keeps the connections of what it leaves as it is.
  [[nodiscard]] std::shared_ptr<clients::AmqpClient> make_amqp(const clients::AmqpTarget& target);
  [[nodiscard]] std::shared_ptr<clients::RedisClient> make_redis(
      const clients::RedisTarget& target);
  // Ends everything under way: each waiting read gets Errc::unreachable, so that the loop can run
  // out of work.
  void close();

 private:
  template <class Made, class Target>
  std::shared_ptr<Made> shared(const Target& target);

  Loop& loop_;
  std::unique_ptr<clients::Resolver> resolver_;
  std::unique_ptr<clients::HttpClient> http_;
  std::vector<std::weak_ptr<Client>> made_;  // owned by their backends
};

}  // namespace weir::scalers
