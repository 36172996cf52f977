// Accepts connections within two bounds: those of the registry, and the descriptors of the process.
#include "server/http/listener.hpp"

#include "scalers/signal.hpp"
#include "server/config/reload.hpp"
#include "server/connections/memory_limit.hpp"
#include "server/http/session_end.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace weir::server {
namespace {

using boost::asio::ip::tcp;
using scalers::Timer;

// Four scans a second: a time limit, of a second or more, is exceeded by about 0.25 s at most.
constexpr Duration kLimitTick{250};
// After an error of accept(), so that the loop does not spin.
constexpr Duration kAcceptPause{100};
constexpr int kAcceptsOfTurn = 64;
// The kernel limits it to net.core.somaxconn.
constexpr int kBacklog = 1024;
// A memory limit can change while the process runs.
constexpr Duration kPoolSpan{60'000};
// Memory is released when so many sessions have ended and few are left, and not more often.
constexpr std::size_t kBurst = 128;
constexpr Duration kReleaseSpan{10'000};

// Half of the descriptors of the process are left for backends, files and the kube-apiserver.
std::size_t max_by_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMaxConnections;
  return std::max<std::size_t>(1, limit.rlim_cur / 2);
}

std::unique_ptr<FILE, CDeleter<std::fclose>> open_reserve() {
  return std::unique_ptr<FILE, CDeleter<std::fclose>>(std::fopen("/dev/null", "re"));
}

}  // namespace

Listener::Listener(Loop& loop, const std::string& address, std::uint16_t port, SessionDeps deps)
    : loop_(loop),
      acceptor_(loop.get_executor()),
      deps_(std::move(deps)),
      reserve_(open_reserve()) {
  size_pool();
  boost::system::error_code failed;
  const auto parsed = boost::asio::ip::make_address(address, failed);
  if (failed)
    throw std::runtime_error(fmt::format("--bind-address {} is not an IP address", address));
  const tcp::endpoint endpoint(parsed, port);
  acceptor_.open(endpoint.protocol());
  // A restart can bind the port while old connections are in TIME_WAIT.
  acceptor_.set_option(Acceptor::reuse_address(true));
  acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(kBacklog, failed);
  if (!failed) acceptor_.non_blocking(true, failed);
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
      log_descriptor_state(false);
      serve(std::move(socket));
      serve_waiting();
      continue;
    }
    // close() ends the pending accept with an error, which is not one of the listener.
    if (!acceptor_.is_open()) break;
    const bool is_out_of_descriptors =
        failed == boost::asio::error::no_descriptors || failed.value() == ENFILE;
    if (!is_out_of_descriptors)
      log_rate_limited(Level::warn, "accept_failed", {{"reason", failed.message()}});
    bool is_handled = false;
    if (is_out_of_descriptors) is_handled = co_await accept_via_reserve_fd();
    if (is_handled) continue;
    Timer pause(loop_.get_executor(), kAcceptPause);
    co_await pause.async_wait(boost::asio::as_tuple(use_awaitable));
  }
}

// Without it, a probe would wait in the backlog for as many turns of the loop as there are
// connections before it, each with the handshakes that are under way.
void Listener::serve_waiting() {
  for (int count = 1; count < kAcceptsOfTurn; ++count) {
    boost::system::error_code failed;
    Socket socket = acceptor_.accept(loop_.get_executor(), failed);
    if (failed) return;  // none waits; another error comes again to accept_all()
    serve(std::move(socket));
  }
}

void Listener::serve(Socket socket) {
  log_pool_state();
  // When no session can be evicted, the socket closes here and the caller tries another replica.
  if (!deps_.registry->make_room(deps_.clock.steady()))
    return deps_.telemetry.connection_evicted(Eviction::refused);
  boost::system::error_code ignored;
  // Each response is one write, so there is nothing that Nagle's algorithm could collect.
  socket.set_option(tcp::no_delay(true), ignored);
  boost::asio::co_spawn(loop_.get_executor(),
                        run_session(std::move(socket), deps_),
                        on_session_end);
}

// Logged when the limit is reached and when it no longer is, not for every connection.
void Listener::log_pool_state() {
  const bool is_full = deps_.registry->is_full();
  if (is_full == std::exchange(was_full_, is_full)) return;
  log(Level::warn,
      is_full ? "connections_full" : "connections_available",
      {{"limit", deps_.registry->pool()}});
}

void Listener::log_descriptor_state(bool is_out_of_descriptors) {
  if (is_out_of_descriptors == std::exchange(was_out_of_descriptors_, is_out_of_descriptors))
    return;
  log(Level::warn, is_out_of_descriptors ? "descriptors_exhausted" : "descriptors_free", {});
}

// Without a free descriptor a connection can be neither accepted nor closed, so it would stay in
// the backlog until it times out. Closing the reserve frees one descriptor. The connection is
// served if the reserve can be opened again, else it is closed. False when accepting failed,
// because another part of the process used the freed descriptor first.
awaitable<bool> Listener::accept_via_reserve_fd() {
  reserve_.reset();
  auto [failed, socket] =
      co_await acceptor_.async_accept(loop_.get_executor(), boost::asio::as_tuple(use_awaitable));
  reserve_ = open_reserve();
  log_descriptor_state(!reserve_);
  if (reserve_ && !failed) {
    serve(std::move(socket));
  } else if (!reserve_) {
    boost::system::error_code ignored;
    socket.close(ignored);
    reserve_ = open_reserve();
  }
  co_return !failed;
}

// Runs until the last session ends, so that a drain has time limits too.
awaitable<void> Listener::watch_limits() {
  Timer tick(loop_.get_executor());
  while (acceptor_.is_open() || deps_.registry->size() > 0) {
    tick.expires_after(kLimitTick);
    co_await tick.async_wait(boost::asio::as_tuple(use_awaitable));
    const SteadyTime now = deps_.clock.steady();
    deps_.registry->expire(now);
    if (now - sized_at_ >= kPoolSpan) size_pool();
    release_memory(now);
  }
}

void Listener::size_pool() {
  sized_at_ = deps_.clock.steady();
  const auto memory = memory_limit("/");
  const std::size_t size = std::min(max_connections(memory), max_by_descriptors());
  if (size == deps_.registry->pool()) return;
  deps_.registry->set_pool(size);
  log(Level::info,
      "connection_limit",
      {{"connections", size}, {"memory_bytes", memory ? fmt::format("{}", *memory) : "unlimited"}});
}

void Listener::release_memory(SteadyTime now) {
  const std::size_t open = deps_.registry->size();
  most_sessions_ = std::max(most_sessions_, open);
  const bool is_over = most_sessions_ >= kBurst && open <= most_sessions_ / 4;
  if (!is_over || now - released_at_ < kReleaseSpan) return;
  released_at_ = now;
  most_sessions_ = open;
  give_back_memory();
}

}  // namespace weir::server
