#include "bench/load/driver/tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace weir::bench {
namespace {

std::string reason() {
  const unsigned long code = ERR_get_error();
  if (code == 0) return errno == 0 ? "the server closed it" : std::strerror(errno);
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

void require(int result, const std::string& what) {
  if (result != 1) throw std::runtime_error(fmt::format("{}: {}", what, reason()));
}

int connected_socket(const Target& target) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error(fmt::format("socket: {}", std::strerror(errno)));
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  const bool is_address = ::inet_pton(AF_INET, target.address.c_str(), &address.sin_addr) == 1;
  if (is_address &&
      (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
       errno == EINPROGRESS))
    return fd;
  const std::string why = is_address ? std::strerror(errno) : "no IPv4 address";
  ::close(fd);
  throw std::runtime_error(fmt::format("{}:{}: {}", target.address, target.port, why));
}

}  // namespace

Context client_context(const Target& target) {
  Context out(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const raw = out.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  require(SSL_CTX_load_verify_locations(raw, target.ca.c_str(), nullptr), target.ca);
  if (!target.cert.empty()) {
    require(SSL_CTX_use_certificate_chain_file(raw, target.cert.c_str()), target.cert);
    require(SSL_CTX_use_PrivateKey_file(raw, target.key.c_str(), SSL_FILETYPE_PEM), target.key);
  }
  return out;
}

TlsConnection::TlsConnection(SSL_CTX* context, const Target& target)
    : fd_(connected_socket(target)), ssl_(SSL_new(context)) {
  SSL_set_fd(ssl_.get(), fd_);
  SSL_set_connect_state(ssl_.get());
}

TlsConnection::~TlsConnection() {
  ssl_.reset();
  ::close(fd_);
}

Wants TlsConnection::wanted(int result, const char* step) const {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Wants::read;
    case SSL_ERROR_WANT_WRITE: return Wants::write;
    default: throw std::runtime_error(fmt::format("{}: {}", step, reason()));
  }
}

Wants TlsConnection::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? Wants::nothing : wanted(result, "handshake");
}

Wants TlsConnection::write(std::string_view& bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (result <= 0) return wanted(result, "write");
    bytes.remove_prefix(static_cast<std::size_t>(result));
  }
  return Wants::nothing;
}

Wants TlsConnection::read(std::string& out) {
  constexpr std::size_t kStep = 16'384;
  const std::size_t before = out.size();
  out.resize(before + kStep);
  ERR_clear_error();
  const int result = SSL_read(ssl_.get(), out.data() + before, static_cast<int>(kStep));
  out.resize(before + static_cast<std::size_t>(result > 0 ? result : 0));
  return result > 0 ? Wants::nothing : wanted(result, "read");
}

}  // namespace weir::bench
