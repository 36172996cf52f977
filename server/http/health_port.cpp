// Accepts, reads one head, responds, closes. In a full pool the address with the most connections
// loses its oldest one, as on the serving port.
#include "server/http/health_port.hpp"

#include "apiservice/meta/status.hpp"
#include "server/http/audit_id.hpp"
#include "server/http/head.hpp"
#include "server/http/input.hpp"
#include "server/http/response.hpp"
#include "server/http/session_end.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <utility>
#include <variant>

namespace weir::server {
namespace {

using boost::asio::ip::tcp;

constexpr auto kDeferred = boost::asio::as_tuple(boost::asio::deferred);
constexpr Duration kTimeLimit{10'000};  // from the accept to the end
constexpr Duration kLimitTick{250};
constexpr Duration kAcceptPause{100};  // after an error of accept()
constexpr int kBacklog = 256;
constexpr std::size_t kMaxHead = 8 * 1024;

apiservice::Response response_to(const Head& head, const Health& health) {
  if (!Health::is_open(head.request.path)) return apiservice::page_not_found();
  return health.respond(head.request);
}

apiservice::Response refusal_of(const Refusal& refusal) {
  return apiservice::render(
      {refusal.status, "BadRequest", std::string(refusal.reason), std::nullopt});
}

}  // namespace

// The open connections.
struct HealthPort::Connections {
  // In the frame of its coroutine.
  struct Connection {
    Connection(std::shared_ptr<Connections> all, Socket accepted, SteadyTime now)
        : connections(std::move(all)), socket(std::move(accepted)), since(now) {
      boost::system::error_code failed;
      const auto endpoint = socket.remote_endpoint(failed);
      if (!failed) address = PeerAddress(endpoint.address());
      id = ++connections->last_id;
      connections->open.emplace(id, this);
      connections->peers.add(id, address, now);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
      connections->open.erase(id);
      connections->peers.remove(id, address);
    }
    // Does not count any more, although its coroutine ends a little later.
    void close() {
      connections->peers.remove(id, address);
      boost::system::error_code ignored;
      socket.close(ignored);
    }

    std::shared_ptr<Connections> connections;  // second owners: the port, the other connections
    Socket socket;
    PeerAddress address;
    SteadyTime since;
    ConnectionId id = 0;
  };

  static awaitable<void> serve(std::shared_ptr<Connections> connections,
                               Socket socket,
                               SteadyTime now,
                               const Health* health);

  std::map<ConnectionId, Connection*> open;
  Strangers peers;
  ConnectionId last_id = 0;
};

awaitable<void> HealthPort::Connections::serve(std::shared_ptr<Connections> connections,
                                               Socket socket,
                                               SteadyTime now,
                                               const Health* health) {
  Connection connection(std::move(connections), std::move(socket), now);
  SessionInput in;
  auto head = parse_head(in.bytes());
  while (std::holds_alternative<NeedMore>(head) && in.bytes().size() < kMaxHead) {
    const auto [failed, size] = co_await connection.socket.async_read_some(in.room(), kDeferred);
    if (failed) co_return;
    in.add(size);
    head = parse_head(in.bytes());
  }
  apiservice::Response response =
      refusal_of({431, "the request head is larger than 8 KiB on the health port"});
  bool is_head = false;
  if (const auto* refusal = std::get_if<Refusal>(&head)) response = refusal_of(*refusal);
  if (const auto* whole = std::get_if<Head>(&head)) {
    response = response_to(*whole, *health);
    is_head = whole->request.method == "HEAD";
  }
  std::string out;
  append_response(out, response, AuditIds().generate(), is_head, false);
  const auto [failed, size] =
      co_await boost::asio::async_write(connection.socket, boost::asio::buffer(out), kDeferred);
  boost::system::error_code is_closed = failed;
  if (!is_closed) connection.socket.shutdown(Socket::shutdown_send, is_closed);
  // Until the peer closes: closing a socket with unread bytes would reset it, and the response with
  // it. The time limit ends a peer that goes on sending.
  while (!is_closed) {
    const auto [ended, discarded] =
        co_await connection.socket.async_read_some(in.room(), kDeferred);
    is_closed = ended;
  }
}

HealthPort::HealthPort(Loop& loop,
                       const std::string& address,
                       std::uint16_t port,
                       const Health& health,
                       const Clock& clock)
    : loop_(loop),
      acceptor_(loop.get_executor()),
      tick_(loop.get_executor()),
      health_(health),
      clock_(clock),
      connections_(std::make_shared<Connections>()) {
  boost::system::error_code failed;
  const tcp::endpoint endpoint(boost::asio::ip::make_address(address), port);
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(Acceptor::reuse_address(true));
  acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(kBacklog, failed);
  if (failed) {
    throw std::runtime_error(fmt::format(
        "cannot listen on {} port {}: {}; choose another with --bind-address and --healthz-port",
        address,
        port,
        failed.message()));
  }
}

void HealthPort::start() {
  boost::asio::co_spawn(loop_.get_executor(), accept_all(), rethrow);
  boost::asio::co_spawn(loop_.get_executor(), watch_limits(), rethrow);
}

void HealthPort::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  tick_.cancel();
  for (const auto& [id, connection] : connections_->open) connection->close();
}

awaitable<void> HealthPort::accept_all() {
  while (acceptor_.is_open()) {
    auto [failed, socket] = co_await acceptor_.async_accept(loop_.get_executor(), kDeferred);
    if (!failed) {
      admit(std::move(socket));
      continue;
    }
    if (!acceptor_.is_open()) break;
    // Without a descriptor: the serving port logs it.
    scalers::Timer pause(loop_.get_executor(), kAcceptPause);
    co_await pause.async_wait(kDeferred);
  }
}

void HealthPort::admit(Socket socket) {
  if (connections_->peers.size() >= kMaxConnections) {
    if (const auto next = connections_->peers.next_to_evict())
      connections_->open.at(next->id)->close();
  }
  boost::asio::co_spawn(
      loop_.get_executor(),
      Connections::serve(connections_, std::move(socket), clock_.steady(), &health_),
      on_session_end);
}

awaitable<void> HealthPort::watch_limits() {
  while (acceptor_.is_open()) {
    tick_.expires_after(kLimitTick);
    co_await tick_.async_wait(kDeferred);
    const SteadyTime now = clock_.steady();
    for (const auto& [id, connection] : connections_->open) {
      if (now - connection->since >= kTimeLimit) connection->close();
    }
  }
}

}  // namespace weir::server
