// One outgoing byte stream, plain TCP or TLS: with stream_tls the only file of this room that knows
// OpenSSL. The certificate is verified against the target's host name; the address comes from the
// Resolver. Loop thread only.
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

class Stream;

// A connect under way.
class ConnectAttempt {
 public:
  // Ends it with Errc::unreachable.
  void cancel();
  [[nodiscard]] bool is_cancelled() const { return is_cancelled_; }
  // `made` connects as a part of it.
  void add(const std::shared_ptr<Stream>& made) { trying_.push_back(made); }
  // Closes what connects as a part of it, but `kept`.
  void end(const Stream* kept);

 private:
  std::vector<std::weak_ptr<Stream>> trying_;
  bool is_cancelled_ = false;
};

class Stream {
 public:
  // Connects, and shakes hands when the target is TLS, within `deadline`. The host's addresses are
  // tried in order, each once the one before has failed or been silent for a quarter of a second;
  // the first that answers is taken. Errc::unreachable, tls or timed_out; no error names the host.
  [[nodiscard]] static awaitable<Result<std::shared_ptr<Stream>>> connect(Loop& loop,
                                                                          Resolver& resolver,
                                                                          StreamTarget target,
                                                                          Deadline deadline);
  // The same at addresses that are known, with a context that is made; a plain target needs none.
  // `attempt` is for whoever may want to end it early, and may be null.
  [[nodiscard]] static awaitable<Result<std::shared_ptr<Stream>>> connect_to(
      Loop& loop,
      Addresses addresses,
      StreamTarget target,
      TlsContext context,
      Deadline deadline,
      std::shared_ptr<ConnectAttempt> attempt);
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // At least one byte into `buffer`, which the caller keeps until it ends. Errc::unreachable when
  // the peer or close() ended the stream.
  [[nodiscard]] virtual awaitable<Result<std::size_t>> read_some(char* buffer,
                                                                 std::size_t size) = 0;
  // As many of `bytes` as can be sent at this moment; zero means write() them, of TLS always.
  [[nodiscard]] virtual std::size_t write_now(std::string_view bytes) = 0;
  // All of `bytes`. Errc::unreachable as read_some.
  [[nodiscard]] virtual awaitable<Result<std::size_t>> write(std::string bytes) = 0;
  // True once a read has failed because the peer had sent all it had to send.
  [[nodiscard]] virtual bool is_ended() const = 0;
  // True when nothing has come that nobody asked for, the end of the stream neither.
  [[nodiscard]] virtual bool is_quiet() = 0;
  // Ends every wait on the stream; twice is once.
  virtual void close() = 0;
};

}  // namespace weir::scalers::clients
