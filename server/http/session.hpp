// One TLS connection from handshake to close: reads request heads, calls the API server, writes the
// responses. And the registry of all open sessions, which enforces the time limit of each phase and
// ends the sessions in a drain. Loop thread only.
#pragma once

#include "apiservice/api_server.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/telemetry/telemetry.hpp"
#include "server/tls/peer.hpp"
#include "server/tls/serving.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <set>

namespace weir::server {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class Session;

// All open sessions. Invariant: a session is in the registry from its construction to its
// destruction. Shared by the listener and the sessions.
class SessionRegistry {
 public:
  // Closes each session whose current phase has exceeded its time limit.
  void expire(SteadyTime now);
  // From now on no connection is kept alive: each closes after its next response, which has
  // `Connection: close`.
  void end_keep_alive() { is_draining_ = true; }
  // As end_keep_alive(), and idle connections close at once.
  void begin_drain();
  // Closes the remaining sessions.
  void close_all();
  // Closes the session that has waited longest for its peer to send a complete handshake or head;
  // false when none has waited for a second. So idle connections cannot keep out a probe or a
  // kube-apiserver.
  [[nodiscard]] bool evict_longest_idle(SteadyTime now);
  [[nodiscard]] bool is_draining() const { return is_draining_; }
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  friend class Session;
  std::set<Session*> sessions_;  // each is in the frame of its own coroutine
  bool is_draining_ = false;
};

struct SessionDeps {
  apiservice::ApiServer& api;
  const ServingTls& tls;
  const ClientTrust& trust;
  const Clock& clock;
  Telemetry& telemetry;
  std::shared_ptr<SessionRegistry>
      registry;  // second owner: sessions that the loop destroys after the listener
};

// Returns when the peer, a time limit or a drain has closed the connection.
awaitable<void> run_session(Socket socket, SessionDeps deps);

}  // namespace weir::server
