// Connections by vhost and the retry of a query; the protocol itself is the machine.
#include "scalers/clients/amqp/client.hpp"

#include "scalers/clients/amqp/machine.hpp"
#include "scalers/clients/net/link.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weir::scalers::clients {
namespace {

// Each vhost takes a connection of its own, because an AMQP connection is opened on one vhost.
constexpr std::size_t kMaxVhosts = 32;

SteadyTime now() { return std::chrono::steady_clock::now(); }

// A pod's host name is the pod's name.
std::string host_name() {
  std::array<char, 256> name{};
  // POSIX does not say that a name that was cut ends with NUL: the last byte stays NUL in any case.
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

Result<AmqpLogin> login_for(const AmqpTarget& target, const std::string& vhost) {
  AmqpLogin out{Secret(), Secret(), vhost, "weir/" + host_name()};
  // Without credentials the client certificate authenticates (SASL EXTERNAL).
  if (!target.username.is_set()) return out;
  auto pair = read_pair(target.username, target.password);
  if (!pair) return pair.error();
  out.username = std::move(pair->first);
  out.password = std::move(pair->second);
  return out;
}

}  // namespace

AmqpClient::AmqpClient(Loop& loop,
                       Resolver& resolver,
                       AmqpTarget target,
                       std::shared_ptr<TlsContexts> contexts)
    : loop_(loop),
      resolver_(resolver),
      target_(std::move(target)),
      contexts_(std::move(contexts)),
      counts_(std::make_shared<ConnectionCounts>()) {}

AmqpClient::~AmqpClient() = default;

void AmqpClient::close() {
  is_closed_ = true;
  for (const auto& [vhost, entry] : connections_) entry.connection->close();
}

void AmqpClient::check_credentials(SteadyTime now) {
  for (const auto& [vhost, entry] : connections_) entry.connection->check_credentials(now);
}

ConnectionCounts AmqpClient::connections() const {
  ConnectionCounts out = *counts_;
  for (const auto& [vhost, entry] : connections_)
    add(out.refused_credentials, entry.connection->refused_credentials());
  out.is_breaker_open = std::ranges::any_of(connections_, [](const auto& entry) {
    return entry.second.connection->is_breaker_open();
  });
  return out;
}

std::shared_ptr<Connection> AmqpClient::connection_to(const std::string& vhost) {
  if (connections_.size() >= kMaxVhosts && !connections_.contains(vhost)) {
    if (!drop_idle()) return nullptr;
  }
  auto& [connection, used_at] = connections_[vhost];
  used_at = now();
  if (!connection) {
    // Credentials are read for every connect, so that rotated ones take effect.
    const auto make_machine = [this, vhost]() -> Result<std::unique_ptr<Machine>> {
      auto login = login_for(target_, vhost);
      if (!login) return login.error();
      // `this` is valid here, because a connection calls the function only within ready_messages().
      return std::unique_ptr<Machine>(std::make_unique<AmqpMachine>(std::move(*login)));
    };
    connection = std::make_shared<Connection>(
        loop_,
        resolver_,
        target_.stream,
        make_machine,
        // The certificate's files count as well, because they are the credentials of SASL EXTERNAL.
        fingerprint_of({target_.username,
                        target_.password,
                        SecretFile(target_.stream.tls.certificate.path),
                        SecretFile(target_.stream.tls.key.path)}),
        counts_,
        contexts_);
  }
  return connection;
}

// The vhost of a metric may come from a selector: the author of an HPA must not determine how many
// connections the broker holds.
bool AmqpClient::drop_idle() {
  auto oldest = connections_.end();
  for (auto entry = connections_.begin(); entry != connections_.end(); ++entry) {
    const VhostConnection& candidate = entry->second;
    // The map is the only owner: no query is in flight.
    const bool is_idle = candidate.connection.use_count() == 1;
    if (is_idle && (oldest == connections_.end() || candidate.used_at < oldest->second.used_at))
      oldest = entry;
  }
  if (oldest == connections_.end()) return false;
  // Counted as idle, so that the close does not look like an outage of the broker.
  oldest->second.connection->close(ConnectionCounts::kIdle);
  connections_.erase(oldest);
  return true;
}

awaitable<Result<std::optional<std::uint64_t>>> AmqpClient::ready_messages(std::string vhost,
                                                                           std::string queue,
                                                                           Deadline deadline) {
  if (is_closed_) co_return Error{Errc::unreachable, "Weir is shutting down", ""};
  const auto connection = connection_to(vhost);
  if (!connection) {
    co_return Error{Errc::overloaded,
                    fmt::format("more than {} vhosts are queried at the same time", kMaxVhosts),
                    ""};
  }
  const SteadyTime started = now();
  Error lost{Errc::unreachable, "the connection was lost", ""};
  // Two cases are retried within the same deadline: the connection proves lost, and the query
  // joined one that was sent before this call, whose response is older than the caller expects.
  constexpr int kMaxAttempts = 3;  // each of the two happens once at most
  for (int attempts = 0; attempts < kMaxAttempts; ++attempts) {
    const auto link = co_await connection->link(deadline);
    if (!link) co_return link.error();
    std::string bytes;
    const auto query =
        static_cast<AmqpMachine&>((*link)->machine()).query_length(loop_, queue, bytes);
    (*link)->send(bytes);
    const bool is_done = co_await query->done.wait(deadline.left(now()));
    // A late response is an error, too: after a pause of the process it comes before the timer
    // does. The connection stays, because the machine knows the query of each response.
    if (!is_done || deadline.is_past(now())) {
      // A broker that responds to other queries keeps its connection: one queue that hangs must not
      // fail them.
      (*link)->end_if_silent(now());
      co_return Error{Errc::timed_out, "no response in time", ""};
    }
    const Result<std::uint64_t>& ready = *query->ready_messages;
    if (!ready && (*link)->failure()) {
      lost = ready.error();
    } else if (query->sent_at >= started) {
      if (ready) co_return std::optional(*ready);
      // On an open connection the vhost exists: the unknown object is the queue.
      if (ready.error().code == Errc::unknown_object) co_return std::optional<std::uint64_t>();
      co_return ready.error();
    }
  }
  co_return lost;
}

}  // namespace weir::scalers::clients
