// One TLS connection from handshake to close: reads request heads, calls the API server, writes the
// responses. Loop thread only.
#pragma once

#include "apiservice/api_server.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/http/session_registry.hpp"
#include "server/telemetry/telemetry.hpp"
#include "server/tls/peer.hpp"
#include "server/tls/serving.hpp"
#include "server/tls/stream.hpp"

#include <memory>

namespace weir::server {

struct SessionDeps {
  Loop& loop;
  apiservice::ApiServer& api;
  const ServingTls& tls;
  const ClientTrust& trust;
  const Clock& clock;
  Telemetry& telemetry;
  std::shared_ptr<SessionRegistry>
      registry;  // second owner: sessions that the loop destroys after the listener
};

// Returns when the peer, a time limit, an eviction or a drain has closed the connection.
awaitable<void> run_session(Socket socket, SessionDeps deps);

}  // namespace weir::server
