#include "scalers/clients/net/stream.hpp"

#include "scalers/clients/net/expiry.hpp"
#include "scalers/clients/net/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
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
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <type_traits>
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
// Happy Eyeballs' (RFC 8305) delay between two addresses.
constexpr Duration kHeadStart{250};
constexpr Duration kAnyTime{60'000};

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

  [[nodiscard]] bool is_quiet() override {
    char next = 0;
    const auto got = ::recv(socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && errno == EAGAIN;
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

  std::size_t write_now(std::string_view bytes) override {
    const auto sent =
        ::send(layer_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
};

class TlsStream final : public StreamOver<ssl::stream<Socket>> {
 public:
  // OpenSSL's own count keeps the context for as long as the stream has it.
  TlsStream(Loop& loop, ssl::context& context) : StreamOver(Socket(loop.get_executor()), context) {}

  std::size_t write_now(std::string_view /*bytes*/) override { return 0; }

  // What came with the last record may not be in the socket any more.
  [[nodiscard]] bool is_quiet() override {
    char next = 0;
    SSL* raw = layer_.native_handle();
    const int got = SSL_peek(raw, &next, 1);
    const bool is_waiting = got <= 0 && SSL_get_error(raw, got) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return is_waiting && StreamOver::is_quiet();
  }

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
  bool expect_name(std::string host) {
    if (host.ends_with('.')) host.pop_back();  // the root's, which no certificate has
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

// Tries at a host's addresses. Shared by them and by who waits for the first that answers.
class Race {
 public:
  Race(Loop& loop, std::shared_ptr<ConnectAttempt> attempt)
      : loop_(loop), attempt_(std::move(attempt)), news_(std::make_shared<Signal>(loop)) {}

  // Another address answers no better for a server that does not verify.
  [[nodiscard]] bool is_decided() const {
    return winner_ || attempt_->is_cancelled() || (failure_ && failure_->code == Errc::tls);
  }
  [[nodiscard]] bool is_running() const { return running_ > 0; }
  void begin(const std::shared_ptr<Stream>& made) {
    ++running_;
    attempt_->add(made);
  }
  void end(Result<std::shared_ptr<Stream>> outcome) {
    --running_;
    if (outcome && !is_decided()) {
      winner_ = std::move(*outcome);
    } else if (!outcome && !is_decided()) {
      failure_ = outcome.error();
    }
    std::exchange(news_, std::make_shared<Signal>(loop_))->raise();
  }
  // Until the next try ends.
  awaitable<void> news(Duration budget) {
    const auto awaited = news_;
    co_await awaited->wait(budget);
  }
  Result<std::shared_ptr<Stream>> finish() {
    attempt_->end(winner_.get());
    if (winner_) return winner_;
    if (attempt_->is_cancelled()) return Error{Errc::unreachable, "the connect was given up", ""};
    return failure_.value_or(Error{Errc::unreachable, "it has no address", ""});
  }

 private:
  Loop& loop_;
  std::shared_ptr<ConnectAttempt> attempt_;
  std::shared_ptr<Signal> news_;  // also owned by who waits
  std::shared_ptr<Stream> winner_;
  std::optional<Error> failure_;  // of the last try that failed
  int running_ = 0;
};

template <class Made>
awaitable<void> compete(Loop& loop,
                        std::shared_ptr<Race> race,
                        std::shared_ptr<Made> made,
                        StreamTarget target,
                        std::string address,
                        Duration budget) {
  auto outcome =
      co_await try_address(loop, std::move(made), std::move(target), std::move(address), budget);
  race->end(std::move(outcome));
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
                                     deadline,
                                     nullptr);
  co_return outcome;
}

awaitable<Result<std::shared_ptr<Stream>>> Stream::connect_to(
    Loop& loop,
    Addresses addresses,
    StreamTarget target,
    TlsContext context,
    Deadline deadline,
    std::shared_ptr<ConnectAttempt> attempt) {
  const auto race =
      std::make_shared<Race>(loop, attempt ? attempt : std::make_shared<ConnectAttempt>());
  for (std::size_t i = 0; i < addresses.size() && !race->is_decided(); ++i) {
    const auto left = deadline.left(std::chrono::steady_clock::now());
    const auto begin = [&](auto made) {
      race->begin(made);
      auto task = compete(loop, race, std::move(made), target, addresses[i], left);
      boost::asio::co_spawn(loop.get_executor(), std::move(task), rethrow);
    };
    if (target.is_tls) {
      auto shared = shared_context(context);
      begin(std::make_shared<TlsStream>(loop, shared));
    } else {
      begin(std::make_shared<PlainStream>(loop.get_executor()));
    }
    // A silent address holds up the next one for a moment only.
    if (i + 1 < addresses.size() && race->is_running())
      co_await race->news(std::min(left, kHeadStart));
  }
  // Each try has its own limit; this one is for none.
  while (race->is_running() && !race->is_decided()) co_await race->news(kAnyTime);
  co_return race->finish();
}

void ConnectAttempt::cancel() {
  is_cancelled_ = true;
  end(nullptr);
}

void ConnectAttempt::end(const Stream* kept) {
  for (const auto& one : trying_) {
    const auto stream = one.lock();
    if (stream && stream.get() != kept) stream->close();
  }
}

}  // namespace weir::scalers::clients
