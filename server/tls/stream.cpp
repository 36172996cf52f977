// OpenSSL reads and writes the socket through a BIO of this file, because its own raises SIGPIPE.
// boost::asio::ssl::stream holds 68 KB of buffers from before the first byte to the end.
#include "server/tls/stream.hpp"

#include "server/crypto/c_deleter.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace weir::server {
namespace {

using Method = std::unique_ptr<BIO_METHOD, CDeleter<BIO_meth_free>>;

// -1 after the socket was closed: its number may be another connection's by then.
int descriptor_of(BIO* bio) { return static_cast<Socket*>(BIO_get_data(bio))->native_handle(); }

bool is_to_be_repeated() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int read_socket(BIO* bio, char* room, int capacity) {
  BIO_clear_retry_flags(bio);
  const auto size = ::recv(descriptor_of(bio), room, static_cast<std::size_t>(capacity), 0);
  if (size < 0 && is_to_be_repeated()) BIO_set_retry_read(bio);
  return static_cast<int>(size);
}

int write_socket(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const auto size =
      ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
  if (size < 0 && is_to_be_repeated()) BIO_set_retry_write(bio);
  return static_cast<int>(size);
}

// Nothing is held back, so that there is nothing to flush.
long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

Method make_method() {
  Method out(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
  if (!out) return out;
  BIO_meth_set_read(out.get(), read_socket);
  BIO_meth_set_write(out.get(), write_socket);
  BIO_meth_set_ctrl(out.get(), control);
  return out;
}

BIO* make_bio(Socket& socket) {
  static const Method kMethod = make_method();
  BIO* out = kMethod ? BIO_new(kMethod.get()) : nullptr;
  if (out == nullptr) return nullptr;
  BIO_set_data(out, &socket);
  BIO_set_init(out, 1);
  return out;
}

}  // namespace

TlsStream::TlsStream(Socket& socket, SSL_CTX* context) : connection_(SSL_new(context)) {
  BIO* bio = connection_ ? make_bio(socket) : nullptr;
  if (bio == nullptr) throw std::runtime_error("no memory for a TLS connection");
  SSL_set_bio(connection_.get(), bio, bio);  // takes ownership
  SSL_set_accept_state(connection_.get());
  // One system call for a record instead of two, for its header and its body.
  SSL_set_read_ahead(connection_.get(), 1);
}

TlsStream::~TlsStream() = default;

TlsStream::Step TlsStream::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(connection_.get()));
}

TlsStream::Step TlsStream::read(void* room, std::size_t capacity, std::size_t& size) {
  ERR_clear_error();
  return step_of(SSL_read_ex(connection_.get(), room, capacity, &size));
}

TlsStream::Step TlsStream::write(std::string_view text) {
  ERR_clear_error();
  std::size_t written = 0;  // all or nothing, without SSL_MODE_ENABLE_PARTIAL_WRITE
  return step_of(SSL_write_ex(connection_.get(), text.data(), text.size(), &written));
}

TlsStream::Step TlsStream::shut_down() {
  ERR_clear_error();
  const int outcome = SSL_shutdown(connection_.get());
  // 0: sent, and the peer's has not come.
  return outcome == 0 ? Step::done : step_of(outcome);
}

TlsStream::Step TlsStream::step_of(int outcome) {
  if (outcome == 1) return Step::done;
  switch (SSL_get_error(connection_.get(), outcome)) {
    case SSL_ERROR_WANT_READ: return Step::wants_read;
    case SSL_ERROR_WANT_WRITE: return Step::wants_write;
    default: problem_ = ERR_peek_error(); return Step::failed;
  }
}

}  // namespace weir::server
