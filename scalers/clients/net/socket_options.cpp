// Apart from the streams, because libcurl's sockets have the same options.
#include "scalers/clients/net/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace weir::scalers::clients {
namespace {

// The kernel ends a connection whose bytes stay unacknowledged for this long. TCP's own limit is
// minutes.
constexpr int kUserTimeoutMs = 5'000;

void set(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

}  // namespace

void set_socket_options(int socket) {
  // Requests are written at once: Nagle's algorithm would only delay them.
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  // Probes an idle peer. TCP_USER_TIMEOUT also limits unanswered probes (tcp(7)).
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

}  // namespace weir::scalers::clients
