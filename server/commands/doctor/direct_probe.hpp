// Probes a server directly, not through the Service: its certificate chain and its /readyz. Loop
// thread only.
#pragma once

#include "scalers/clients/net/resolver.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"
#include "server/commands/doctor/certificate.hpp"
#include "server/commands/doctor/finding.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::server::doctor {

struct DirectTarget {
  std::string host;  // a name or an address
  std::uint16_t port = 0;
  std::string server_name;  // the server name (SNI) of the handshake
};

struct DirectProbe {
  Chain chain;
  int status = 0;  // of GET /readyz; 0: the response was not HTTP
  std::string body;
};

// Accepts any certificate; the caller checks it. Errc::unreachable, tls or timed_out, with a reason
// that names no host. `loop` and `resolver` outlive the probe.
[[nodiscard]] awaitable<scalers::Result<DirectProbe>> probe(Loop& loop,
                                                            scalers::clients::Resolver& resolver,
                                                            DirectTarget target,
                                                            Deadline deadline);

// The status and the body of a complete HTTP/1.1 response, which ends with the connection.
[[nodiscard]] DirectProbe parse_response(std::string_view response);

// Whether the server is ready; if not, the finding names the failing checks.
[[nodiscard]] Finding check_readiness(const std::string& object, const DirectProbe& probe_result);

}  // namespace weir::server::doctor
