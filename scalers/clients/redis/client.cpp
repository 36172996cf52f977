// The login of a Redis connection and the retry of a command; the protocol itself is the machine.
#include "scalers/clients/redis/client.hpp"

#include "scalers/clients/net/link.hpp"
#include "scalers/clients/redis/machine.hpp"

#include <utility>

namespace weir::scalers::clients {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

Result<RedisLogin> login_for(const RedisTarget& target) {
  RedisLogin out{Secret(), Secret(), target.database};
  if (!target.password.is_set()) return out;
  // Servers before ACLs, and the default user, take AUTH with a password only.
  if (!target.username.is_set()) {
    auto password = target.password.read();
    if (!password) return password.error();
    out.password = std::move(*password);
    return out;
  }
  auto pair = read_pair(target.username, target.password);
  if (!pair) return pair.error();
  out.username = std::move(pair->first);
  out.password = std::move(pair->second);
  return out;
}

}  // namespace

RedisClient::RedisClient(Loop& loop, Resolver& resolver, const RedisTarget& target)
    : loop_(loop), target_(target), counts_(std::make_shared<ConnectionCounts>()) {
  // Credentials are read for every connect, so that rotated ones take effect.
  auto make_machine = [target]() -> Result<std::unique_ptr<Machine>> {
    auto login = login_for(target);
    if (!login) return login.error();
    return std::unique_ptr<Machine>(std::make_unique<RedisMachine>(std::move(*login)));
  };
  connection_ =
      std::make_unique<Connection>(loop,
                                   resolver,
                                   target.stream,
                                   std::move(make_machine),
                                   fingerprint_of({target.username,
                                                   target.password,
                                                   SecretFile(target.stream.tls.certificate.path),
                                                   SecretFile(target.stream.tls.key.path)}),
                                   counts_);
}

RedisClient::~RedisClient() = default;

void RedisClient::close() { connection_->close(); }

ConnectionCounts RedisClient::connections() const {
  ConnectionCounts out = *counts_;
  out.is_breaker_open = connection_->is_breaker_open();
  return out;
}

awaitable<Result<RedisReply>> RedisClient::command(std::vector<std::string> words,
                                                   Deadline deadline) {
  Error lost{Errc::unreachable, "the connection was lost", ""};
  // The server may have closed the connection: the command is sent once more, on a new one, within
  // the same deadline.
  for (int attempts = 0; attempts < 2; ++attempts) {
    // The usual case, without the coroutine of link().
    auto link = connection_->live_link();
    if (!link) {
      auto connected = co_await connection_->link(deadline);
      if (!connected) co_return connected.error();
      link = std::move(*connected);
    }
    std::string bytes;
    const auto command = static_cast<RedisMachine&>(link->machine()).command(loop_, words, bytes);
    link->send(bytes);
    const bool is_done = co_await command->done.wait(deadline.left(now()));
    if (!is_done) {
      // Only a silent server loses its connection: a slow command of one query must not fail
      // others.
      link->end_if_silent(now());
      co_return Error{Errc::timed_out, "no response in time", ""};
    }
    if (*command->reply) co_return std::move(**command->reply);
    lost = command->reply->error();
  }
  co_return lost;
}

}  // namespace weir::scalers::clients
