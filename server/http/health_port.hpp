// A port of its own for the health checks: plain HTTP, nothing but /healthz, /livez and /readyz,
// one request a connection. Its connections are counted apart from those of the API, so that
// whatever happens there, a kubelet gets a response. Owned by the App; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"
#include "server/connections/strangers.hpp"
#include "server/http/health.hpp"
#include "server/tls/stream.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace weir::server {

class HealthPort {
 public:
  // More are open only while one is closing.
  static constexpr std::size_t kMaxConnections = 64;

  // `health` and `clock` outlive the run of the loop. Throws std::runtime_error with what to change
  // when the address cannot be bound.
  HealthPort(Loop& loop,
             const std::string& address,
             std::uint16_t port,
             const Health& health,
             const Clock& clock);

  void start();
  // Stops accepting and closes what is open.
  void close();

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
  struct Connections;

  awaitable<void> accept_all();
  awaitable<void> watch_limits();
  void admit(Socket socket);

  Loop& loop_;
  Acceptor acceptor_;
  scalers::Timer tick_;
  const Health& health_;
  const Clock& clock_;
  std::shared_ptr<Connections> connections_;  // second owners: the coroutines of connections
};

}  // namespace weir::server
