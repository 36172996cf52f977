#include "scalers/clients/stream.hpp"

#include "scalers/clients/resolver.hpp"
#include "scalers/clients/stream_expiry.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace weir::scalers::clients {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<tcp, Executor>;
using ErrorCode = boost::system::error_code;

constexpr auto kToken = boost::asio::as_tuple(boost::asio::deferred);
// Unacknowledged bytes older than this mean that the peer is gone, whatever TCP still hopes for.
constexpr unsigned kUserTimeoutMs = 5'000;

Error lost(const ErrorCode& failed) {
  return {Errc::unreachable, fmt::format("the connection was lost ({})", failed.message()), ""};
}

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
    is_ended_ = failed == boost::asio::error::eof;
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

  [[nodiscard]] bool is_ended() const override { return is_ended_; }

  [[nodiscard]] bool is_alive() override {
    char next = 0;
    const auto got = ::recv(socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && errno == EAGAIN);
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

 private:
  bool is_ended_ = false;
};

class PlainStream final : public StreamOver<Socket> {
 public:
  using StreamOver::StreamOver;
};

class TlsStream final : public StreamOver<ssl::stream<Socket>> {
 public:
  // OpenSSL's own count keeps the context for as long as the stream has it.
  TlsStream(Loop& loop, ssl::context& context) : StreamOver(Socket(loop.get_executor()), context) {}

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
};

// Asio's own handle on a context of ours.
ssl::context shared_context(const TlsContext& context) {
  SSL_CTX_up_ref(context.get());
  return ssl::context(context.get());
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
  auto addresses = co_await resolver.resolve(target.host, deadline);
  if (!addresses) co_return addresses.error();
  TlsContext context;
  if (target.is_tls) {
    auto made = make_tls_context(target.tls);
    if (!made) co_return made.error();
    context = std::move(*made);
  }
  auto outcome = co_await connect_to(loop,
                                     std::move(*addresses),
                                     std::move(target),
                                     std::move(context),
                                     deadline);
  co_return outcome;
}

awaitable<Result<std::shared_ptr<Stream>>> Stream::connect_to(Loop& loop,
                                                              Addresses addresses,
                                                              StreamTarget target,
                                                              TlsContext context,
                                                              Deadline deadline) {
  Result<std::shared_ptr<Stream>> outcome = Error{Errc::unreachable, "it has no address", ""};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // A silent address must leave time for the next ones.
    const auto left = deadline.left(std::chrono::steady_clock::now());
    const Duration budget = left / static_cast<Duration::rep>(addresses.size() - i);
    if (target.is_tls) {
      auto shared = shared_context(context);
      outcome = co_await try_address(loop,
                                     std::make_shared<TlsStream>(loop, shared),
                                     target,
                                     addresses[i],
                                     budget);
    } else {
      outcome = co_await try_address(loop,
                                     std::make_shared<PlainStream>(loop.get_executor()),
                                     target,
                                     addresses[i],
                                     budget);
    }
    if (outcome || outcome.error().code == Errc::tls) break;
  }
  co_return outcome;
}

}  // namespace weir::scalers::clients
