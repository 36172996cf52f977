// One TLS connection from handshake to close: reads heads, asks the router, writes one answer each.
// And the registry that knows every open session, so that each phase has its time limit and a drain
// can end them. Loop thread only.
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

// Every open session, and when each has to have gone on. Shared by the listener and the sessions.
class SessionRegistry {
 public:
  // Closes each session whose phase took too long.
  void expire(SteadyTime now);
  // From here on no connection is kept alive: each closes behind its next answer, which says so.
  void end_keep_alive() { is_draining_ = true; }
  // As end_keep_alive(), and idle connections close at once.
  void begin_drain();
  // Closes what is left.
  void close_all();
  // Closes the session that has waited longest for its peer to send something; false when none has
  // for a second. So connections that others hold open keep out no probe and no kube-apiserver.
  [[nodiscard]] bool make_room(SteadyTime now);
  [[nodiscard]] bool is_draining() const { return is_draining_; }
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  friend class Session;
  std::set<Session*> sessions_;  // each lives in its own coroutine frame
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

// Ends when the peer or a time limit closes the connection.
awaitable<void> run_session(Socket socket, SessionDeps deps);

}  // namespace weir::server
