// OpenSSL's objects as values, and one non-blocking TLS connection of the driver.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::bench {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

struct Target {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string ca;    // PEM files
  std::string cert;  // empty: no client certificate
  std::string key;
};

// TLS 1.2 or later, without tickets; the server's chain is checked, its name is not. Throws
// std::runtime_error that names the file.
[[nodiscard]] Context client_context(const Target& target);

// What a step on a connection wants next.
enum class Wants { read, write, nothing };

// Connects at once, without waiting. Owned by one thread.
class TlsConnection {
 public:
  TlsConnection(SSL_CTX* context, const Target& target);
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;
  ~TlsConnection();

  [[nodiscard]] int descriptor() const { return fd_; }
  // Each throws std::runtime_error when the connection is lost. `nothing`: it is done.
  [[nodiscard]] Wants handshake();
  // Takes what was written off the front of `bytes`.
  [[nodiscard]] Wants write(std::string_view& bytes);
  // Appends what there is. `nothing`: there may be more.
  [[nodiscard]] Wants read(std::string& out);

 private:
  [[nodiscard]] Wants wanted(int result, const char* step) const;

  int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace weir::bench
