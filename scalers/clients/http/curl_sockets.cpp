// libcurl closes a socket that is still connecting by itself, without the callback for it, and says
// only afterwards that it no longer waits for it. So libcurl owns every descriptor, Asio never
// closes one, and a descriptor that the kernel has already taken out of the epoll set is harmless.
#include "scalers/clients/http/curl_sockets.hpp"

#include "scalers/clients/net/socket_options.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

namespace weir::scalers::clients {
namespace {

// One for each of a few hundred workers that are asked each second.
constexpr std::size_t kMaxIdleConnections = 512;
constexpr std::chrono::seconds kMaxIdle{110};  // below the two minutes of many proxies
// Each check is a system call per idle connection, too much for every request.
constexpr std::chrono::seconds kPruneInterval{1};

bool is_same_login(const Proxy& a, const Proxy& b) {
  if (!a.login || !b.login) return !a.login && !b.login;
  return a.login->first.reveal() == b.login->first.reveal() &&
         a.login->second.reveal() == b.login->second.reveal();
}

bool is_same_proxy(const Proxy* a, const Proxy* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr) return false;
  return a->scheme == b->scheme && a->host == b->host && a->port == b->port &&
         is_same_login(*a, *b);
}

bool is_open(const CurlSocket& socket) {
  return socket.opener == nullptr && !socket.is_ended && !socket.is_closed;
}

bool is_idle(const CurlSocket& socket) { return is_open(socket) && socket.transfers == 0; }

void count_closed(CurlSocket& socket, std::string_view reason) {
  if (std::exchange(socket.is_counted, true) || !socket.counts) return;
  add(socket.counts->closed, reason);
}

using Name = int (*)(int, sockaddr*, socklen_t*);

// The numeric address and port of one end of a socket.
void read_end(Name name, int fd, std::string& address, int& port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (name(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET6) {
    const auto& end = reinterpret_cast<const sockaddr_in6&>(storage);
    ::inet_ntop(AF_INET6, &end.sin6_addr, text.data(), text.size());
    port = ntohs(end.sin6_port);
  } else {
    const auto& end = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &end.sin_addr, text.data(), text.size());
    port = ntohs(end.sin_port);
  }
  address = text.data();
}

}  // namespace

bool operator==(const HttpOrigin& a, const HttpOrigin& b) {
  return a.port == b.port && a.address == b.address && a.host == b.host && a.scheme == b.scheme &&
         a.context == b.context && a.proxy_context == b.proxy_context && a.is_http2 == b.is_http2 &&
         is_same_proxy(a.proxy.get(), b.proxy.get());
}

CurlSockets::SocketPtr CurlSockets::open(int family,
                                         int type,
                                         int protocol,
                                         const CurlTransfer* opener) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return nullptr;
  set_socket_options(fd);
  // A socket that libcurl closed without the callback may have had the same number.
  if (const auto stale = sockets_.find(fd); stale != sockets_.end()) {
    if (stale->second->descriptor.is_open()) stale->second->descriptor.release();
    stale->second->is_closed = true;
  }
  auto socket = std::make_shared<CurlSocket>(loop_, fd);
  socket->opener = opener;
  sockets_.insert_or_assign(fd, socket);
  return socket;
}

void CurlSockets::close(int fd) {
  if (const auto found = sockets_.find(fd); found != sockets_.end()) {
    const SocketPtr socket = found->second;
    sockets_.erase(found);
    if (socket->descriptor.is_open()) socket->descriptor.release();
    socket->is_closed = true;
    socket->wanted = 0;
    if (socket->opener == nullptr && socket->transfers == 0)
      count_closed(*socket, ConnectionCounts::kIdle);
  }
  ::close(fd);
}

void CurlSockets::wait(int fd, int what) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return;
  const SocketPtr socket = found->second;
  socket->wanted = what == CURL_POLL_REMOVE ? CURL_POLL_NONE : what;
  // libcurl reads only from a socket that is connected.
  socket->is_accepted = socket->is_accepted || (socket->wanted & CURL_POLL_IN) != 0;
  if (what != CURL_POLL_REMOVE) {
    boost::system::error_code failed;
    if (!socket->descriptor.is_open()) socket->descriptor.assign(fd, failed);
    // Without a wait the transfer ends at its deadline.
    if (!failed) arm(socket);
  } else if (socket->opener != nullptr && socket->descriptor.is_open()) {
    // An idle connection stays registered with epoll, because it will be used again.
    socket->descriptor.release();
  }
}

void CurlSockets::forget(const CurlTransfer* opener) {
  std::erase_if(sockets_, [opener](const auto& entry) {
    CurlSocket& socket = *entry.second;
    if (socket.opener != opener) return false;
    if (socket.descriptor.is_open()) socket.descriptor.release();
    socket.is_closed = true;
    return true;
  });
}

void CurlSockets::arm(const SocketPtr& socket) {
  using Descriptor = boost::asio::posix::descriptor_base;
  const auto begin = [&](Descriptor::wait_type type, bool is_write) {
    (is_write ? socket->is_waiting_to_write : socket->is_waiting_to_read) = true;
    socket->descriptor.async_wait(
        type,
        [self = weak_from_this(), socket, is_write](const boost::system::error_code& failed) {
          (is_write ? socket->is_waiting_to_write : socket->is_waiting_to_read) = false;
          const auto sockets = self.lock();
          if (!failed && sockets) sockets->on_event(socket, is_write);
        });
  };
  if ((socket->wanted & CURL_POLL_IN) != 0 && !socket->is_waiting_to_read)
    begin(Descriptor::wait_read, false);
  if ((socket->wanted & CURL_POLL_OUT) != 0 && !socket->is_waiting_to_write)
    begin(Descriptor::wait_write, true);
}

void CurlSockets::on_event(const SocketPtr& socket, bool is_write) {
  const int wanted = is_write ? CURL_POLL_OUT : CURL_POLL_IN;
  if (socket->is_closed || (socket->wanted & wanted) == 0) return;
  on_ready_(socket->fd, is_write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
  // libcurl does not repeat what it waits for.
  if (!socket->is_closed && socket->descriptor.is_open()) arm(socket);
}

CurlSockets::SocketPtr CurlSockets::find(const SocketEnds& ends) {
  for (const auto& [fd, socket] : sockets_) {
    SocketEnds& known = socket->ends;
    if (known.local_port == 0 || known.remote_port == 0) {
      read_end(::getsockname, fd, known.local_address, known.local_port);
      read_end(::getpeername, fd, known.remote_address, known.remote_port);
    }
    if (known == ends) return socket;
  }
  return nullptr;
}

std::string CurlSockets::usable_address(const HttpOrigin& origin, SteadyTime now) {
  prune(now);
  const CurlSocket* newest = nullptr;
  for (const auto& [fd, socket] : sockets_) {
    const bool is_usable = is_idle(*socket) || (is_open(*socket) && socket->is_multiplexed);
    if (!is_usable || socket->origin != origin) continue;
    // The newest one, because the server is least likely to have closed it.
    if (newest == nullptr || socket->idle_since > newest->idle_since) newest = socket.get();
  }
  return newest == nullptr ? std::string() : newest->address;
}

bool CurlSockets::has_no_unsolicited_data(const CurlSocket& socket) {
  char next = 0;
  const auto size = ::recv(socket.fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
  // 0 is the end of the stream, and other errors mean that the connection is lost.
  return size < 0 && errno == EAGAIN;
}

bool CurlSockets::is_silent(const CurlSocket& socket, Duration period) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  return Duration(info.tcpi_last_data_recv) >= period;
}

void CurlSockets::release(CurlSocket& socket, std::string_view reason, SteadyTime now) {
  --socket.transfers;
  if (socket.is_closed) return count_closed(socket, reason);
  socket.idle_since = now;
  if (socket.transfers == 0) limit_idle();
}

void CurlSockets::end(CurlSocket& socket, std::string_view reason) {
  if (socket.is_closed || std::exchange(socket.is_ended, true)) return;
  count_closed(socket, reason);
  ::shutdown(socket.fd, SHUT_RDWR);
}

void CurlSockets::end_all() {
  for (const auto& [fd, socket] : sockets_) {
    if (is_open(*socket)) end(*socket, ConnectionCounts::kClosed);
  }
}

void CurlSockets::prune(SteadyTime now) {
  if (now - pruned_at_ < kPruneInterval) return;
  pruned_at_ = now;
  for (const auto& [fd, socket] : sockets_) {
    if (!is_idle(*socket)) continue;
    const bool is_old = now - socket->idle_since > kMaxIdle;
    // A server may send frames of HTTP/2 at any time.
    const bool is_dirty = !socket->is_multiplexed && !has_no_unsolicited_data(*socket);
    if (is_old || is_dirty) end(*socket, ConnectionCounts::kIdle);
  }
}

void CurlSockets::limit_idle() {
  std::size_t count = 0;
  CurlSocket* oldest = nullptr;
  for (const auto& [fd, socket] : sockets_) {
    if (!is_idle(*socket)) continue;
    ++count;
    if (oldest == nullptr || socket->idle_since < oldest->idle_since) oldest = socket.get();
  }
  if (count > kMaxIdleConnections) end(*oldest, ConnectionCounts::kIdle);
}

}  // namespace weir::scalers::clients
