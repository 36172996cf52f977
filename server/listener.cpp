#include "server/listener.hpp"

#include "scalers/signal.hpp"
#include "server/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <utility>

namespace weir::server {
namespace {

using boost::asio::ip::tcp;
using scalers::Timer;

constexpr Duration kLimitTick{250};
constexpr Duration kAcceptPause{100};
constexpr int kBacklog = 1024;
// A TLS connection holds about 83 KB; kube-apiserver keeps 25 and opens more only while it asks
// more at once.
constexpr std::size_t kMaxSessions = 2048;

// A session that fails is one lost connection, never the end of the process.
void on_session_end(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& bug) {
    log(Level::error, "session_failed", {{"reason", bug.what()}});
  }
}

}  // namespace

Listener::Listener(Loop& loop, const std::string& address, std::uint16_t port, SessionDeps deps)
    : loop_(loop), acceptor_(loop.get_executor()), deps_(std::move(deps)) {
  boost::system::error_code failed;
  const auto parsed = boost::asio::ip::make_address(address, failed);
  if (failed)
    throw std::runtime_error(fmt::format("--bind-address {} is not an IP address", address));
  const tcp::endpoint endpoint(parsed, port);
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(Acceptor::reuse_address(true));
  acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(kBacklog, failed);
  if (failed) {
    throw std::runtime_error(fmt::format(
        "cannot listen on {} port {}: {}; choose another with --bind-address and --secure-port",
        address,
        port,
        failed.message()));
  }
}

void Listener::start() {
  boost::asio::co_spawn(loop_.get_executor(), accept_all(), rethrow);
  boost::asio::co_spawn(loop_.get_executor(), watch_limits(), rethrow);
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

awaitable<void> Listener::accept_all() {
  while (acceptor_.is_open()) {
    auto [failed, socket] =
        co_await acceptor_.async_accept(loop_.get_executor(), boost::asio::as_tuple(use_awaitable));
    if (!failed && deps_.registry->size() >= kMaxSessions) {
      log(Level::warn, "connection_refused", {{"sessions", deps_.registry->size()}});
    } else if (!failed) {
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      boost::asio::co_spawn(loop_.get_executor(),
                            run_session(std::move(socket), deps_),
                            on_session_end);
    } else if (acceptor_.is_open()) {
      log(Level::warn, "accept_failed", {{"reason", failed.message()}});
      Timer pause(loop_.get_executor(), kAcceptPause);
      co_await pause.async_wait(boost::asio::as_tuple(use_awaitable));
    }
  }
}

awaitable<void> Listener::watch_limits() {
  Timer tick(loop_.get_executor());
  while (acceptor_.is_open() || deps_.registry->size() > 0) {
    tick.expires_after(kLimitTick);
    co_await tick.async_wait(boost::asio::as_tuple(use_awaitable));
    deps_.registry->expire(deps_.clock.steady());
  }
}

}  // namespace weir::server
