#include "scalers/clients/clients.hpp"

#include "scalers/clients/amqp/client.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "scalers/clients/redis/client.hpp"

#include <utility>

namespace weir::scalers {

Clients::Clients(Loop& loop)
    : loop_(loop),
      resolver_(std::make_unique<clients::Resolver>(loop)),
      http_(std::make_unique<clients::HttpClient>(loop, *resolver_)) {}

Clients::~Clients() = default;

template <class Made, class Target>
std::shared_ptr<Made> Clients::shared(const Target& target) {
  std::erase_if(made_, [](const auto& one) { return one.expired(); });
  for (const auto& one : made_) {
    auto found = std::dynamic_pointer_cast<Made>(one.lock());
    if (found && found->target() == target) return found;
  }
  auto made = std::make_shared<Made>(loop_, *resolver_, target);
  made_.push_back(made);
  return made;
}

std::shared_ptr<clients::AmqpClient> Clients::make_amqp(const clients::AmqpTarget& target) {
  return shared<clients::AmqpClient>(target);
}

std::shared_ptr<clients::RedisClient> Clients::make_redis(const clients::RedisTarget& target) {
  return shared<clients::RedisClient>(target);
}

void Clients::close() {
  resolver_->close();
  http_->close();
  for (const auto& one : made_) {
    if (const auto client = one.lock()) client->close();
  }
}

}  // namespace weir::scalers
