#include "scalers/clients/stream.hpp"

#include "scalers/clients/resolver.hpp"
#include "scalers/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace weir::scalers::clients {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<tcp, Executor>;
using ErrorCode = boost::system::error_code;

constexpr auto kToken = boost::asio::as_tuple(use_awaitable);
// Unacknowledged bytes older than this mean that the peer is gone, whatever TCP still hopes for.
constexpr unsigned kUserTimeoutMs = 5'000;

Error lost(const ErrorCode& failed) {
  return {Errc::unreachable, fmt::format("the connection was lost ({})", failed.message()), ""};
}

// Runs `on_expiry` on the loop once `budget` has passed, unless it goes away first.
class Expiry {
 public:
  Expiry(Loop& loop, Duration budget, std::function<void()> on_expiry)
      : timer_(loop.get_executor(), budget) {
    timer_.async_wait([state = state_, action = std::move(on_expiry)](const ErrorCode& cancelled) {
      if (cancelled || state->is_over) return;
      state->has_fired = true;
      action();
    });
  }
  Expiry(const Expiry&) = delete;
  Expiry& operator=(const Expiry&) = delete;
  ~Expiry() { state_->is_over = true; }

  [[nodiscard]] bool has_fired() const { return state_->has_fired; }

 private:
  struct State {
    bool is_over = false;
    bool has_fired = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();  // second owner: the timer's handler
  Timer timer_;
};

void set_socket_options(Socket& socket) {
  ErrorCode ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  ::setsockopt(socket.native_handle(),
               IPPROTO_TCP,
               TCP_USER_TIMEOUT,
               &kUserTimeoutMs,
               sizeof kUserTimeoutMs);
}

// What reads and writes have in common over a socket and over TLS.
template <class Layer>
class StreamOver : public Stream {
 public:
  template <class... Arguments>
  explicit StreamOver(Arguments&&... arguments) : layer_(std::forward<Arguments>(arguments)...) {}

  awaitable<Result<std::size_t>> read_some(char* buffer, std::size_t size) override {
    const auto [failed, count] =
        co_await layer_.async_read_some(boost::asio::buffer(buffer, size), kToken);
    if (failed) co_return lost(failed);
    co_return count;
  }

  awaitable<Result<std::size_t>> write(std::string bytes) override {
    const auto [failed, count] =
        co_await boost::asio::async_write(layer_, boost::asio::buffer(bytes), kToken);
    if (failed) co_return lost(failed);
    co_return count;
  }

  void close() override {
    ErrorCode ignored;
    socket().close(ignored);
  }

  [[nodiscard]] Socket& socket() {
    if constexpr (std::is_same_v<Layer, Socket>) {
      return layer_;
    } else {
      return layer_.next_layer();
    }
  }

 protected:
  Layer layer_;
};

class PlainStream final : public StreamOver<Socket> {
 public:
  using StreamOver::StreamOver;
};

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

class TlsStream final : public StreamOver<ssl::stream<Socket>> {
 public:
  TlsStream(Loop& loop, std::shared_ptr<ssl::context> context)
      : StreamOver(Socket(loop.get_executor()), *context), context_(std::move(context)) {}

  awaitable<Result<std::size_t>> shake_hands(std::string host) {
    if (!expect_name(host)) co_return Error{Errc::tls, "TLS failed: no name to verify", ""};
    const auto [failed] = co_await layer_.async_handshake(ssl::stream_base::client, kToken);
    if (!failed) co_return std::size_t{0};
    const long verdict = SSL_get_verify_result(layer_.native_handle());
    const std::string why =
        verdict == X509_V_OK ? failed.message() : X509_verify_cert_error_string(verdict);
    co_return Error{Errc::tls, fmt::format("TLS failed: {}", why), ""};
  }

 private:
  // Without a name to hold the certificate against, any of the CA's certificates would do.
  bool expect_name(const std::string& host) {
    SSL* raw = layer_.native_handle();
    ErrorCode parse_failed;
    const auto address = boost::asio::ip::make_address(host, parse_failed);
    if (!parse_failed) {
      const std::string text = address.to_string();
      return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), text.c_str()) == 1;
    }
    return SSL_set_tlsext_host_name(raw, host.c_str()) == 1 &&
           SSL_set1_host(raw, host.c_str()) == 1;
  }

  std::shared_ptr<ssl::context> context_;  // also owned by the tries at the host's other addresses
};

// An encrypted key must not make OpenSSL ask for its password on a terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*purpose*/, void* /*data*/) { return 0; }

Result<std::shared_ptr<ssl::context>> make_context(const TlsFiles& files) {
  auto out = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* raw = out->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM");
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_passwd_cb(raw, no_password);
  const auto failure = [](std::string_view what, const std::string& path) {
    return Error{Errc::tls,
                 fmt::format("the {} {} cannot be used: {}", what, path, openssl_reason()),
                 ""};
  };
  if (files.ca.path.empty()) {
    SSL_CTX_set_default_verify_paths(raw);
  } else if (SSL_CTX_load_verify_locations(raw, files.ca.path.c_str(), nullptr) != 1) {
    return failure("CA bundle", files.ca.path);
  }
  if (files.certificate.path.empty()) return out;
  if (SSL_CTX_use_certificate_chain_file(raw, files.certificate.path.c_str()) != 1) {
    return failure("certificate", files.certificate.path);
  }
  if (SSL_CTX_use_PrivateKey_file(raw, files.key.path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failure("key", files.key.path);
  }
  return out;
}

// One address: TCP, then TLS when the target wants it. `budget` is for this address.
template <class Made>
awaitable<Result<std::shared_ptr<Stream>>> try_address(Loop& loop,
                                                       std::shared_ptr<Made> made,
                                                       StreamTarget target,
                                                       std::string address,
                                                       Duration budget) {
  const Expiry expiry(loop, budget, [made] { made->close(); });
  const tcp::endpoint endpoint(boost::asio::ip::make_address(address), target.port);
  const auto [failed] = co_await made->socket().async_connect(endpoint, kToken);
  if (expiry.has_fired())
    co_return Error{Errc::timed_out, "it did not accept a connection in time", ""};
  if (failed)
    co_return Error{Errc::unreachable, fmt::format("cannot connect ({})", failed.message()), ""};
  set_socket_options(made->socket());
  if constexpr (std::is_same_v<Made, TlsStream>) {
    const auto shaken = co_await made->shake_hands(target.host);
    if (expiry.has_fired())
      co_return Error{Errc::timed_out, "it did not finish the TLS handshake in time", ""};
    if (!shaken) co_return shaken.error();
  }
  co_return std::static_pointer_cast<Stream>(made);
}

}  // namespace

awaitable<Result<std::shared_ptr<Stream>>> Stream::connect(Loop& loop,
                                                           Resolver& resolver,
                                                           StreamTarget target,
                                                           Deadline deadline) {
  const auto addresses = co_await resolver.resolve(target.host, deadline);
  if (!addresses) co_return addresses.error();
  std::shared_ptr<ssl::context> context;
  if (target.is_tls) {
    auto made = make_context(target.tls);
    if (!made) co_return made.error();
    context = std::move(*made);
  }
  Result<std::shared_ptr<Stream>> outcome = Error{Errc::unreachable, "it has no address", ""};
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    // A silent address must leave time for the next ones.
    const auto left = deadline.left(std::chrono::steady_clock::now());
    const Duration budget = left / static_cast<Duration::rep>(addresses->size() - i);
    if (target.is_tls) {
      outcome = co_await try_address(loop,
                                     std::make_shared<TlsStream>(loop, context),
                                     target,
                                     (*addresses)[i],
                                     budget);
    } else {
      outcome = co_await try_address(loop,
                                     std::make_shared<PlainStream>(loop.get_executor()),
                                     target,
                                     (*addresses)[i],
                                     budget);
    }
    if (outcome || outcome.error().code == Errc::tls) break;
  }
  co_return outcome;
}

}  // namespace weir::scalers::clients
