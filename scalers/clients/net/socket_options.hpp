// The options of every outgoing TCP socket. Pure, but for the socket.
#pragma once

namespace weir::scalers::clients {

// Failures are ignored, because a connection also works without these options.
void set_socket_options(int socket);

}  // namespace weir::scalers::clients
