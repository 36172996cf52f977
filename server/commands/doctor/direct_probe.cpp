// A minimal TLS client with one request. Apart from the HTTP client, because the probe accepts
// every certificate.
#include "server/commands/doctor/direct_probe.hpp"

#include "scalers/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace weir::server::doctor {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using scalers::Errc;
using scalers::Result;
using Socket = boost::asio::basic_stream_socket<tcp, Executor>;
using ErrorCode = boost::system::error_code;

constexpr auto kToken = boost::asio::as_tuple(use_awaitable);
// Another server than Weir may listen there, and send without an end.
constexpr std::size_t kMaxResponseBytes = std::size_t{64} << 10;

// A connection whose timer closes it; shared with the timer's handler.
struct Connection {
  explicit Connection(Loop& loop)
      : context(ssl::context::tls_client),
        stream(Socket(loop.get_executor()), context),
        timer(loop.get_executor()) {
    // Not verified here: check_chain() reports every problem, a handshake only the first.
    context.set_verify_mode(ssl::verify_none);
  }

  void close() {
    ErrorCode ignored;
    stream.next_layer().close(ignored);
  }

  // In this order, because the stream refers to the context.
  ssl::context context;
  ssl::stream<Socket> stream;
  scalers::Timer timer;
  bool is_late = false;
};

using ConnectionPtr = std::shared_ptr<Connection>;

// The HTTP client is not used, because it does not give access to the certificates of the peer. The
// handler owns the connection, because it may run after the probe is over.
void limit(const ConnectionPtr& connection, Duration budget) {
  connection->timer.expires_after(budget);
  connection->timer.async_wait([connection](const ErrorCode& cancelled) {
    if (cancelled) return;
    connection->is_late = true;
    connection->close();
  });
}

scalers::Error failure(const Connection& connection, Errc code, std::string what) {
  // The timer closes the socket, and the operation then fails with an error that does not name the
  // time.
  if (connection.is_late) return {Errc::timed_out, "it did not respond in time", ""};
  return {code, std::move(what), ""};
}

Chain chain_of(SSL* connection) {
  Chain out;
  // On the side of a client it includes the server's own certificate. OpenSSL lends the
  // certificates, and the findings need them after the connection.
  STACK_OF(X509)* peer_chain = SSL_get_peer_cert_chain(connection);
  for (int i = 0; i < sk_X509_num(peer_chain); ++i) {
    X509* certificate = sk_X509_value(peer_chain, i);
    X509_up_ref(certificate);
    out.emplace_back(certificate, X509_free);
  }
  return out;
}

awaitable<Result<DirectProbe>> get_readyz(ConnectionPtr connection,
                                          std::string server_name,
                                          tcp::endpoint at) {
  auto& stream = connection->stream;
  const auto [unconnected] = co_await stream.next_layer().async_connect(at, kToken);
  if (unconnected) {
    co_return failure(*connection,
                      Errc::unreachable,
                      fmt::format("cannot connect ({})", unconnected.message()));
  }
  // The name that the kube-apiserver sends too, because a server may select its certificate by it.
  SSL_set_tlsext_host_name(stream.native_handle(), server_name.c_str());
  const auto [unshaken] = co_await stream.async_handshake(ssl::stream_base::client, kToken);
  if (unshaken) {
    co_return failure(*connection, Errc::tls, fmt::format("TLS failed ({})", unshaken.message()));
  }
  Chain chain = chain_of(stream.native_handle());
  const std::string request = fmt::format(
      "GET /readyz HTTP/1.1\r\nHost: {}\r\nUser-Agent: weir-doctor\r\nConnection: close\r\n\r\n",
      server_name);
  const auto [unsent, sent] =
      co_await boost::asio::async_write(stream, boost::asio::buffer(request), kToken);
  std::string response;
  std::array<char, 4096> bytes{};
  bool is_open = !unsent && sent == request.size();
  while (is_open && response.size() < kMaxResponseBytes) {
    const auto [ended, count] = co_await stream.async_read_some(boost::asio::buffer(bytes), kToken);
    response.append(bytes.data(), count);
    // Also without a close_notify of TLS, which many servers do not send. What has arrived is
    // parsed.
    is_open = !ended;
  }
  DirectProbe out = parse_response(response);
  if (out.status == 0 && connection->is_late)
    co_return failure(*connection, Errc::timed_out, "it did not respond in time");
  out.chain = std::move(chain);
  co_return out;
}

}  // namespace

awaitable<Result<DirectProbe>> probe(Loop& loop,
                                     scalers::clients::Resolver& resolver,
                                     DirectTarget target,
                                     Deadline deadline) {
  const auto addresses = co_await resolver.resolve(target.host, deadline);
  if (!addresses) co_return addresses.error();
  // Tries the addresses in order; the error of the last one is reported.
  Result<DirectProbe> out = scalers::Error{Errc::unreachable, "it has no address", ""};
  for (const std::string& address : *addresses) {
    const auto connection = std::make_shared<Connection>(loop);
    limit(connection, deadline.left(std::chrono::steady_clock::now()));
    const tcp::endpoint at(boost::asio::ip::make_address(address), target.port);
    out = co_await get_readyz(connection, target.server_name, at);
    connection->timer.cancel();
    connection->close();
    if (out) break;
  }
  co_return out;
}

DirectProbe parse_response(std::string_view response) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  DirectProbe out;
  const auto end = response.find("\r\n\r\n");
  if (!response.starts_with(kVersion) || end == response.npos) return out;
  int status = 0;
  // Exactly 3 digits, because from_chars() would also read fewer.
  const char* digits = response.data() + kVersion.size();
  const auto [rest, failed] = std::from_chars(digits, digits + 3, status);
  if (failed != std::errc() || rest != digits + 3) return out;
  out.status = status;
  out.body = response.substr(end + 4);
  return out;
}

Finding check_readiness(const std::string& object, const DirectProbe& probe_result) {
  if (probe_result.status == 200) return ok(object, "it is ready");
  if (probe_result.status == 0) {
    return error(object, "/readyz: the response is not HTTP", "check which process listens there");
  }
  std::string failing;
  for (std::size_t at = 0; at < probe_result.body.size();) {
    const auto end = std::min(probe_result.body.find('\n', at), probe_result.body.size());
    const auto line = std::string_view(probe_result.body).substr(at, end - at);
    // A failing check, as the API servers of Kubernetes list it: "[-]NAME failed: reason withheld".
    if (line.starts_with("[-]"))
      failing +=
          fmt::format("{}{}", failing.empty() ? "" : ", ", line.substr(3, line.find(' ') - 3));
    at = end + 1;
  }
  return error(object,
               fmt::format("/readyz returned {}{}{}",
                           probe_result.status,
                           failing.empty() ? "" : ": ",
                           failing),
               "see the pod's log for the reason");
}

}  // namespace weir::server::doctor
