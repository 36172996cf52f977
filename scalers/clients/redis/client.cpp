// The login of a Redis connection and the retry of a command; the protocol itself is the machine.
#include "scalers/clients/redis/client.hpp"

#include "scalers/clients/net/link.hpp"
#include "scalers/clients/redis/machine.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers::clients {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

Result<RedisLogin> login_for(const RedisTarget& target) {
  RedisLogin out{Secret(), Secret(), target.database, target.is_cluster};
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

// Where EXEC does not exist or is not permitted, the connection stays within the transaction, and
// every later command would only be queued.
void end_open_transaction(Link& link,
                          const std::vector<RedisWords>& all,
                          const Result<RedisReply>& last) {
  const bool is_open = all.front().front() == "MULTI" && last->kind == RedisReply::Kind::error &&
                       !last->text.starts_with("EXECABORT");
  if (is_open)
    link.end({Errc::unreachable, "the connection was closed", ""}, ConnectionCounts::kClosed);
}

}  // namespace

RedisClient::RedisClient(Loop& loop,
                         Resolver& resolver,
                         const RedisTarget& target,
                         std::shared_ptr<TlsContexts> contexts,
                         std::shared_ptr<ConnectionCounts> counts)
    : loop_(loop), target_(target), counts_(std::move(counts)) {
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
                                   counts_,
                                   std::move(contexts));
}

RedisClient::~RedisClient() = default;

void RedisClient::close() { connection_->close(); }

void RedisClient::check_credentials(SteadyTime now) { connection_->check_credentials(now); }

bool RedisClient::is_breaker_open() const { return connection_->is_breaker_open(); }

ConnectionCounts RedisClient::connections() const {
  ConnectionCounts out = *counts_;
  out.is_breaker_open = is_breaker_open();
  out.refused_credentials = connection_->refused_credentials();
  return out;
}

awaitable<Result<std::vector<RedisReply>>> RedisClient::commands(std::string /*key*/,
                                                                 std::vector<RedisWords> all,
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
    std::vector<RedisCommandPtr> sent;
    for (const auto& words : all)
      sent.push_back(static_cast<RedisMachine&>(link->machine()).command(loop_, words, bytes));
    link->send(bytes);
    // Replies arrive in the order of the commands, so that the last one completes all of them.
    const bool is_done = co_await sent.back()->done.wait(deadline.left(now()));
    // A late reply is an error, too: after a pause of the process it comes before the timer does.
    // The connection stays, because replies come in the order of the commands.
    if (!is_done || deadline.is_past(now())) {
      // Only a silent server loses its connection: a slow command of one query must not fail
      // others.
      link->end_if_silent(now());
      co_return Error{Errc::timed_out, "no response in time", ""};
    }
    const auto failed = std::ranges::find_if(sent, [](const RedisCommandPtr& command) {
      return command->reply->has_error();
    });
    if (failed != sent.end()) {
      lost = (*failed)->reply->error();
      continue;
    }
    end_open_transaction(*link, all, *sent.back()->reply);
    std::vector<RedisReply> out;
    out.reserve(sent.size());
    for (const RedisCommandPtr& command : sent) out.push_back(std::move(**command->reply));
    co_return out;
  }
  co_return lost;
}

}  // namespace weir::scalers::clients
