#include "server/http/listener.hpp"

#include "scalers/signal.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
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

// Half of the descriptors that the process may have are for backends, files and the kube-apiserver.
std::size_t max_sessions() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMaxSessions;
  return std::min<std::size_t>(kMaxSessions, limit.rlim_cur / 2);
}

std::unique_ptr<FILE, Freed<std::fclose>> open_reserve() {
  return std::unique_ptr<FILE, Freed<std::fclose>>(std::fopen("/dev/null", "re"));
}

// A session that fails is one lost connection, never the end of the process.
void on_session_end(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& bug) {
    log_often(Level::error, "session_failed", {{"reason", bug.what()}});
  }
}

}  // namespace

Listener::Listener(Loop& loop, const std::string& address, std::uint16_t port, SessionDeps deps)
    : loop_(loop),
      acceptor_(loop.get_executor()),
      deps_(std::move(deps)),
      max_sessions_(max_sessions()),
      reserve_(open_reserve()) {
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
    if (!failed) {
      say_whether_out(false);
      serve(std::move(socket));
      continue;
    }
    if (!acceptor_.is_open()) break;
    const bool is_out = failed == boost::asio::error::no_descriptors || failed.value() == ENFILE;
    if (!is_out) log_often(Level::warn, "accept_failed", {{"reason", failed.message()}});
    bool is_handled = false;
    if (is_out) is_handled = co_await accept_with_reserve();
    if (is_handled) continue;
    Timer pause(loop_.get_executor(), kAcceptPause);
    co_await pause.async_wait(boost::asio::as_tuple(use_awaitable));
  }
}

void Listener::serve(Socket socket) {
  // Else it closes here: a caller that is turned away tries another replica.
  if (is_full() && !deps_.registry->make_room(deps_.clock.steady())) return;
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  boost::asio::co_spawn(loop_.get_executor(),
                        run_session(std::move(socket), deps_),
                        on_session_end);
}

// Said when it begins and when it ends, not with every connection.
bool Listener::is_full() {
  const bool is_over = deps_.registry->size() >= max_sessions_;
  if (is_over != std::exchange(was_full_, is_over))
    log(Level::warn, is_over ? "connections_full" : "connections_fit", {{"limit", max_sessions_}});
  return is_over;
}

void Listener::say_whether_out(bool is_out) {
  if (is_out == std::exchange(was_out_, is_out)) return;
  log(Level::warn, is_out ? "descriptors_exhausted" : "descriptors_free", {});
}

// Without a descriptor left a connection cannot even be refused: the reserve makes room for that.
// By the time that one comes there may be others; it is served then. False when something else has
// taken the reserve's place.
awaitable<bool> Listener::accept_with_reserve() {
  reserve_.reset();
  auto [failed, socket] =
      co_await acceptor_.async_accept(loop_.get_executor(), boost::asio::as_tuple(use_awaitable));
  reserve_ = open_reserve();
  say_whether_out(!reserve_);
  if (reserve_ && !failed) {
    serve(std::move(socket));
  } else if (!reserve_) {
    boost::system::error_code ignored;
    socket.close(ignored);
    reserve_ = open_reserve();
  }
  co_return !failed;
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
