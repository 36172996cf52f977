// One outgoing byte stream, plain TCP or TLS. The certificate is verified against the target's host
// name; the address comes from the Resolver. Loop thread only.
#pragma once

#include "scalers/clients/net/resolver.hpp"
#include "scalers/clients/net/tls.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

struct StreamTarget {
  std::string host;
  std::uint16_t port = 0;
  bool is_tls = false;
  TlsFiles tls;

  friend bool operator==(const StreamTarget&, const StreamTarget&) = default;
};

class Stream {
 public:
  // Connects, including the handshake when the target is TLS, within `deadline`. The addresses of
  // the host are tried in order by Happy Eyeballs (RFC 8305): the next one starts once the one
  // before has failed or 250 ms have passed, and the first that succeeds is used.
  // Errc::unreachable, tls or timed_out; no error names the host.
  [[nodiscard]] static awaitable<Result<std::shared_ptr<Stream>>> connect(
      Loop& loop,
      Resolver& resolver,
      std::shared_ptr<TlsContexts> contexts,
      StreamTarget target,
      Deadline deadline);
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Reads at least one byte into `buffer`, which must stay valid until the read ends.
  // Errc::unreachable when the peer or close() ended the stream.
  [[nodiscard]] virtual awaitable<Result<std::size_t>> read_some(char* buffer,
                                                                 std::size_t size) = 0;
  // Sends as many of `bytes` as the kernel takes without waiting. Zero: use write(); always so with
  // TLS.
  [[nodiscard]] virtual std::size_t write_now(std::string_view bytes) = 0;
  // Sends all of `bytes`. Errc::unreachable as read_some.
  [[nodiscard]] virtual awaitable<Result<std::size_t>> write(std::string bytes) = 0;
  // Ends every wait on the stream. May be called more than once.
  virtual void close() = 0;
};

}  // namespace weir::scalers::clients
