#include "scalers/clients.hpp"

#include "scalers/clients/amqp.hpp"
#include "scalers/clients/http.hpp"
#include "scalers/clients/redis.hpp"
#include "scalers/clients/resolver.hpp"

#include <utility>

namespace weir::scalers {

Clients::Clients(Loop& loop)
    : loop_(loop),
      resolver_(std::make_unique<clients::Resolver>(loop)),
      http_(std::make_unique<clients::HttpClient>(loop, *resolver_)) {}

Clients::~Clients() = default;

std::shared_ptr<clients::AmqpClient> Clients::make_amqp(clients::AmqpTarget target) {
  auto made = std::make_shared<clients::AmqpClient>(loop_, *resolver_, std::move(target));
  made_.push_back(made);
  return made;
}

std::shared_ptr<clients::RedisClient> Clients::make_redis(const clients::RedisTarget& target) {
  auto made = std::make_shared<clients::RedisClient>(loop_, *resolver_, target);
  made_.push_back(made);
  return made;
}

void Clients::close() {
  resolver_->close();
  http_->close();
  for (const auto& one : made_) {
    if (const auto client = one.lock()) client->close();
  }
}

}  // namespace weir::scalers
