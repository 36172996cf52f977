// The server's end of a TLS connection, straight on a non-blocking socket: no buffers but those of
// OpenSSL, which an idle connection frees. It never waits; the caller does, for what a step wants.
// Loop thread only.
#pragma once

#include "scalers/task.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace weir::server {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class TlsStream {
 public:
  enum class Step {
    done,
    wants_read,   // again when the socket can be read
    wants_write,  // again when it can be written
    failed,       // the connection has ended, orderly or not
  };

  // `socket` is non-blocking and outlives the stream, `context` too. Throws std::runtime_error
  // when there is no memory.
  TlsStream(Socket& socket, SSL_CTX* context);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  [[nodiscard]] Step handshake();
  // `size` is the number of bytes read, at least 1, of a step that is done.
  [[nodiscard]] Step read(void* room, std::size_t capacity, std::size_t& size);
  // The whole text, which stays the same until the step is done; not empty.
  [[nodiscard]] Step write(std::string_view text);
  // Sends the close_notify, and does not wait for that of the peer.
  [[nodiscard]] Step shut_down();

  // OpenSSL's error of the step that failed; 0 when the connection ended without one.
  [[nodiscard]] unsigned long problem() const { return problem_; }

  // Frees the buffers of an idle connection; the next read or write allocates them again.
  void free_buffers() { SSL_free_buffers(connection_.get()); }
  [[nodiscard]] SSL* native_handle() { return connection_.get(); }

 private:
  struct Free {
    void operator()(SSL* connection) const { SSL_free(connection); }
  };
  [[nodiscard]] Step step_of(int outcome);

  std::unique_ptr<SSL, Free> connection_;
  unsigned long problem_ = 0;
};

}  // namespace weir::server
