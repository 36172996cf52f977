// One look at a server itself, past the Service: the certificate that it shows, and its /readyz.
// Loop thread only.
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
  std::string server_name;  // what the handshake asks for
};

struct DirectLook {
  Chain chain;
  int status = 0;  // of GET /readyz; 0: what came back was no HTTP
  std::string body;
};

// Any certificate is taken: it is for the caller to judge. Errc::unreachable, tls or timed_out,
// with a reason that names no host. `loop` and `resolver` outlive the look.
[[nodiscard]] awaitable<scalers::Result<DirectLook>> look_at(Loop& loop,
                                                             scalers::clients::Resolver& resolver,
                                                             DirectTarget target,
                                                             Deadline deadline);

// The status and the body of a whole HTTP/1.1 answer to a request that asked to close.
[[nodiscard]] DirectLook parse_answer(std::string_view answer);

// What /readyz said; a failing one names its checks.
[[nodiscard]] Finding judge_readiness(const std::string& object, const DirectLook& look);

}  // namespace weir::server::doctor
