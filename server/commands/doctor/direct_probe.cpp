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
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 10;

// A connection whose timer closes it; shared with the timer's handler.
struct Connection {
  explicit Connection(Loop& loop)
      : context(ssl::context::tls_client),
        stream(Socket(loop.get_executor()), context),
        timer(loop.get_executor()) {
    context.set_verify_mode(ssl::verify_none);
  }

  void close() {
    ErrorCode ignored;
    stream.next_layer().close(ignored);
  }

  ssl::context context;
  ssl::stream<Socket> stream;
  scalers::Timer timer;
  bool is_late = false;
};

using ConnectionPtr = std::shared_ptr<Connection>;

void limit(const ConnectionPtr& connection, Duration budget) {
  connection->timer.expires_after(budget);
  connection->timer.async_wait([connection](const ErrorCode& cancelled) {
    if (cancelled) return;
    connection->is_late = true;
    connection->close();
  });
}

scalers::Error failure(const Connection& connection, Errc code, std::string what) {
  if (connection.is_late) return {Errc::timed_out, "it did not answer in time", ""};
  return {code, std::move(what), ""};
}

Chain chain_of(SSL* connection) {
  Chain out;
  STACK_OF(X509)* shown = SSL_get_peer_cert_chain(connection);
  for (int i = 0; i < sk_X509_num(shown); ++i) {
    X509* one = sk_X509_value(shown, i);
    X509_up_ref(one);
    out.emplace_back(one, X509_free);
  }
  return out;
}

awaitable<Result<DirectLook>> ask(ConnectionPtr connection,
                                  std::string server_name,
                                  tcp::endpoint at) {
  auto& stream = connection->stream;
  const auto [unconnected] = co_await stream.next_layer().async_connect(at, kToken);
  if (unconnected) {
    co_return failure(*connection,
                      Errc::unreachable,
                      fmt::format("cannot connect ({})", unconnected.message()));
  }
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
  std::string answer;
  std::array<char, 4096> bytes{};
  bool is_open = !unsent && sent == request.size();
  while (is_open && answer.size() < kMaxAnswerBytes) {
    const auto [ended, count] = co_await stream.async_read_some(boost::asio::buffer(bytes), kToken);
    answer.append(bytes.data(), count);
    is_open = !ended;
  }
  DirectLook out = parse_answer(answer);
  out.chain = std::move(chain);
  co_return out;
}

}  // namespace

awaitable<Result<DirectLook>> look_at(Loop& loop,
                                      scalers::clients::Resolver& resolver,
                                      DirectTarget target,
                                      Deadline deadline) {
  const auto addresses = co_await resolver.resolve(target.host, deadline);
  if (!addresses) co_return addresses.error();
  Result<DirectLook> out = scalers::Error{Errc::unreachable, "it has no address", ""};
  for (const std::string& address : *addresses) {
    const auto connection = std::make_shared<Connection>(loop);
    limit(connection, deadline.left(std::chrono::steady_clock::now()));
    const tcp::endpoint at(boost::asio::ip::make_address(address), target.port);
    out = co_await ask(connection, target.server_name, at);
    connection->timer.cancel();
    connection->close();
    if (out) break;
  }
  co_return out;
}

DirectLook parse_answer(std::string_view answer) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  DirectLook out;
  const auto end = answer.find("\r\n\r\n");
  if (!answer.starts_with(kVersion) || end == answer.npos) return out;
  int status = 0;
  const char* digits = answer.data() + kVersion.size();
  const auto [rest, failed] = std::from_chars(digits, digits + 3, status);
  if (failed != std::errc() || rest != digits + 3) return out;
  out.status = status;
  out.body = answer.substr(end + 4);
  return out;
}

Finding judge_readiness(const std::string& object, const DirectLook& look) {
  if (look.status == 200) return ok(object, "it is ready");
  if (look.status == 0) {
    return error(object, "/readyz: what came back is no HTTP answer", "look at what listens there");
  }
  std::string failing;
  for (std::size_t at = 0; at < look.body.size();) {
    const auto end = std::min(look.body.find('\n', at), look.body.size());
    const auto line = std::string_view(look.body).substr(at, end - at);
    if (line.starts_with("[-]"))
      failing +=
          fmt::format("{}{}", failing.empty() ? "" : ", ", line.substr(3, line.find(' ') - 3));
    at = end + 1;
  }
  return error(
      object,
      fmt::format("/readyz says {}{}{}", look.status, failing.empty() ? "" : ": ", failing),
      "the pod's log has a line for what it waits for");
}

}  // namespace weir::server::doctor
