// One outgoing byte stream, plain TCP or TLS: with stream_tls the only file of this room that knows
// OpenSSL. The certificate is verified against the target's host name; the address comes from the
// Resolver. Loop thread only.
#pragma once

#include "scalers/clients/resolver.hpp"
#include "scalers/clients/stream_tls.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"
#include "scalers/tls_files.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

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
  // Connects, and shakes hands when the target is TLS, trying the host's addresses in order within
  // `deadline`. Errc::unreachable, tls or timed_out; no error names the host.
  [[nodiscard]] static awaitable<Result<std::shared_ptr<Stream>>> connect(Loop& loop,
                                                                          Resolver& resolver,
                                                                          StreamTarget target,
                                                                          Deadline deadline);
  // The same at addresses that are known, with a context that is made; a plain target needs none.
  [[nodiscard]] static awaitable<Result<std::shared_ptr<Stream>>> connect_to(Loop& loop,
                                                                             Addresses addresses,
                                                                             StreamTarget target,
                                                                             TlsContext context,
                                                                             Deadline deadline);
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // At least one byte into `buffer`, which the caller keeps until it ends. Errc::unreachable when
  // the peer or close() ended the stream.
  [[nodiscard]] virtual awaitable<Result<std::size_t>> read_some(char* buffer,
                                                                 std::size_t size) = 0;
  // All of `bytes`. Errc::unreachable as read_some.
  [[nodiscard]] virtual awaitable<Result<std::size_t>> write(std::string bytes) = 0;
  // True once a read has failed because the peer had sent all it had to send.
  [[nodiscard]] virtual bool is_ended() const = 0;
  // False when the peer, or the network, has ended a stream that nobody reads.
  [[nodiscard]] virtual bool is_alive() = 0;
  // Ends every wait on the stream; twice is once.
  virtual void close() = 0;
};

}  // namespace weir::scalers::clients
