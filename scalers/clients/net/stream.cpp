// Connecting over TCP and TLS. With tls.cpp the only file of this room that includes OpenSSL.
#include "scalers/clients/net/stream.hpp"

#include "scalers/clients/net/expiry.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "scalers/clients/net/socket_options.hpp"

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
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::scalers::clients {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<tcp, Executor>;
using ErrorCode = boost::system::error_code;

// as_tuple returns errors as values; deferred is awaited in the caller's frame, where use_awaitable
// would allocate another one for each operation.
constexpr auto kToken = boost::asio::as_tuple(boost::asio::deferred);
// RFC 8305, section 5: the delay between attempts at two addresses.
constexpr Duration kConnectionAttemptDelay{250};
constexpr Duration kNoLimit{60'000};

Error lost(const ErrorCode& failed) {
  return {Errc::unreachable, fmt::format("the connection was lost ({})", failed.message()), ""};
}

// What reads and writes over a socket and over TLS have in common.
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

  // By value, because the bytes must live until the write ends.
  awaitable<Result<std::size_t>> write(std::string bytes) override {
    const auto [failed, count] =
        co_await boost::asio::async_write(layer_, boost::asio::buffer(bytes), kToken);
    if (failed) co_return lost(failed);
    co_return count;
  }

  // Without close_notify, because Asio's shutdown would also wait for the peer's.
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

  std::size_t write_now(std::string_view bytes) override {
    const auto sent =
        ::send(layer_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    // An error counts as nothing sent, because write() reports the error.
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
};

class TlsStream final : public StreamOver<ssl::stream<Socket>> {
 public:
  // OpenSSL counts the references to the context: it lives as long as the stream.
  TlsStream(Loop& loop, ssl::context& context) : StreamOver(Socket(loop.get_executor()), context) {}

  std::size_t write_now(std::string_view /*bytes*/) override { return 0; }

  awaitable<Result<std::size_t>> handshake(std::string host) {
    // Before the handshake, because its first message contains the name (SNI).
    if (!expect_name(host)) co_return Error{Errc::tls, "TLS failed: no name to verify", ""};
    const auto [failed] = co_await layer_.async_handshake(ssl::stream_base::client, kToken);
    if (!failed) co_return std::size_t{0};
    // The verification error says more than "handshake failed".
    const long verdict = SSL_get_verify_result(layer_.native_handle());
    const std::string why =
        verdict == X509_V_OK ? failed.message() : X509_verify_cert_error_string(verdict);
    co_return Error{Errc::tls, fmt::format("TLS failed: {}", why), ""};
  }

 private:
  // Without a name to verify, any certificate of the CA would be accepted.
  bool expect_name(std::string host) {
    if (host.ends_with('.')) host.pop_back();  // the root's, which no certificate has
    SSL* raw = layer_.native_handle();
    ErrorCode parse_failed;
    const auto address = boost::asio::ip::make_address(host, parse_failed);
    if (!parse_failed) {
      const std::string text = address.to_string();
      // SNI contains no addresses (RFC 6066, section 3).
      return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), text.c_str()) == 1;
    }
    return SSL_set_tlsext_host_name(raw, host.c_str()) == 1 &&
           SSL_set1_host(raw, host.c_str()) == 1;
  }
};

// A handle of Asio on our context; both own it.
ssl::context shared_context(const TlsContext& context) {
  SSL_CTX_up_ref(context.get());
  return ssl::context(context.get());
}

// One address: TCP, then TLS when the target needs it. `budget` is for this address.
template <class StreamType>
awaitable<Result<std::shared_ptr<Stream>>> try_address(Loop& loop,
                                                       std::shared_ptr<StreamType> stream,
                                                       StreamTarget target,
                                                       std::string address,
                                                       Duration budget) {
  const Expiry expiry(loop, budget, [stream] { stream->close(); });
  const tcp::endpoint endpoint(boost::asio::ip::make_address(address), target.port);
  const auto [failed] = co_await stream->socket().async_connect(endpoint, kToken);
  // Tested before `failed`, because the expiry closes the socket, which looks like a canceled
  // connect.
  if (expiry.has_fired())
    co_return Error{Errc::timed_out, "it did not accept a connection in time", ""};
  if (failed)
    co_return Error{Errc::unreachable, fmt::format("cannot connect ({})", failed.message()), ""};
  // After the connect, because async_connect opens the socket.
  set_socket_options(stream->socket().native_handle());
  if constexpr (std::is_same_v<StreamType, TlsStream>) {
    const auto handshake = co_await stream->handshake(target.host);
    if (expiry.has_fired())
      co_return Error{Errc::timed_out, "it did not finish the TLS handshake in time", ""};
    if (!handshake) co_return handshake.error();
  }
  co_return std::static_pointer_cast<Stream>(stream);
}

// Happy Eyeballs (RFC 8305): concurrent attempts at the addresses of one host, of which the first
// that succeeds wins. Shared by the attempts and by the coroutine that waits for the winner.
class HappyEyeballs {
 public:
  explicit HappyEyeballs(Loop& loop) : loop_(loop), progress_(std::make_shared<Signal>(loop)) {}

  // A TLS failure ends the search, because another address of the same host would fail likewise.
  [[nodiscard]] bool is_decided() const {
    return winner_ || (failure_ && failure_->code == Errc::tls);
  }
  [[nodiscard]] bool is_running() const { return running_ > 0; }
  void begin(const std::shared_ptr<Stream>& stream) {
    ++running_;
    attempts_.push_back(stream);
  }
  void end(Result<std::shared_ptr<Stream>> outcome) {
    --running_;
    // Once the search is decided, a late stream is dropped and a late error is not reported.
    if (outcome && !is_decided()) {
      winner_ = std::move(*outcome);
    } else if (!outcome && !is_decided()) {
      failure_ = outcome.error();
    }
    // Replaced, because a Signal is raised once for good.
    std::exchange(progress_, std::make_shared<Signal>(loop_))->raise();
  }
  // Returns once an attempt has ended, or after `budget`.
  awaitable<void> wait_for_progress(Duration budget) {
    const auto progress = progress_;
    co_await progress->wait(budget);
  }
  Result<std::shared_ptr<Stream>> finish() {
    for (const auto& attempt : attempts_) {
      const auto stream = attempt.lock();
      if (stream && stream != winner_) stream->close();
    }
    if (winner_) return winner_;
    return failure_.value_or(Error{Errc::unreachable, "it has no addresses to connect to", ""});
  }

 private:
  Loop& loop_;
  std::vector<std::weak_ptr<Stream>> attempts_;
  std::shared_ptr<Signal> progress_;  // also owned by the coroutine that waits
  std::shared_ptr<Stream> winner_;
  std::optional<Error> failure_;  // of the last attempt that failed
  int running_ = 0;
};

template <class StreamType>
awaitable<void> attempt(Loop& loop,
                        std::shared_ptr<HappyEyeballs> eyeballs,
                        std::shared_ptr<StreamType> stream,
                        StreamTarget target,
                        std::string address,
                        Duration budget) {
  auto outcome =
      co_await try_address(loop, std::move(stream), std::move(target), std::move(address), budget);
  eyeballs->end(std::move(outcome));
}

}  // namespace

awaitable<Result<std::shared_ptr<Stream>>> Stream::connect(Loop& loop,
                                                           Resolver& resolver,
                                                           std::shared_ptr<TlsContexts> contexts,
                                                           StreamTarget target,
                                                           Deadline deadline) {
  auto addresses = co_await resolver.resolve(target.host, deadline);
  if (!addresses) co_return addresses.error();
  TlsContext context;
  if (target.is_tls) {
    auto current = contexts->current(target.tls, {}, std::chrono::steady_clock::now());
    if (!current) co_return current.error();
    context = std::move(*current);
  }
  const auto eyeballs = std::make_shared<HappyEyeballs>(loop);
  for (std::size_t i = 0; i < addresses->size() && !eyeballs->is_decided(); ++i) {
    // Each address may use all of the time that is left, because the attempts are concurrent.
    const auto left = deadline.left(std::chrono::steady_clock::now());
    const auto begin = [&](auto stream) {
      eyeballs->begin(stream);
      auto task = attempt(loop, eyeballs, std::move(stream), target, (*addresses)[i], left);
      boost::asio::co_spawn(loop.get_executor(), std::move(task), rethrow);
    };
    if (target.is_tls) {
      auto shared = shared_context(context);
      begin(std::make_shared<TlsStream>(loop, shared));
    } else {
      begin(std::make_shared<PlainStream>(loop.get_executor()));
    }
    if (i + 1 < addresses->size() && eyeballs->is_running())
      co_await eyeballs->wait_for_progress(std::min(left, kConnectionAttemptDelay));
  }
  // Each attempt has its own limit: this wait needs none.
  while (eyeballs->is_running() && !eyeballs->is_decided())
    co_await eyeballs->wait_for_progress(kNoLimit);
  co_return eyeballs->finish();
}

}  // namespace weir::scalers::clients
