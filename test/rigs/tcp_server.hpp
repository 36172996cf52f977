// A server on a free loopback port that plays one script a connection, one connection after the
// other on a thread of its own, or all of them at once. Every wait of it ends when the server goes
// away, and after 10 s at the latest.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace weir::test {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {
    if (fd_ < 0) throw std::runtime_error("tcp_server.hpp: no socket");
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { ::close(fd_); }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// A socket bound to 127.0.0.1 and a free port, which nothing else can take while it lives.
class LoopbackSocket {
 public:
  // `host` counts up from 127.0.0.1.
  explicit LoopbackSocket(std::uint32_t host = 0, std::uint16_t port = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
    address.sin_port = htons(port);
    socklen_t length = sizeof(address);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_.get(), plain, length) != 0 || ::getsockname(fd_.get(), plain, &length) != 0)
      throw std::runtime_error("tcp_server.hpp: no free port");
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] int get() const { return fd_.get(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

// A port that takes no connection in: its queue is full, and nobody accepts.
class FullPort {
 public:
  explicit FullPort(std::uint32_t host = 0, std::uint16_t port = 0) : socket_(host, port) {
    if (::listen(socket_.get(), 0) != 0) throw std::runtime_error("tcp_server.hpp: listen");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
    address.sin_port = htons(socket_.port());
    for (std::unique_ptr<Fd>& caller : callers_) {
      caller =
          std::make_unique<Fd>(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      // It fails, as it does not wait.
      static_cast<void>(
          ::connect(caller->get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)));
    }
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }

 private:
  LoopbackSocket socket_;
  std::array<std::unique_ptr<Fd>, 4> callers_;
};

class Connection {
 public:
  Connection(int fd, int stop) : fd_(fd), stop_(stop) {}

  // A request's head and as much body as its Content-Length says; empty when the peer or the server
  // ended.
  std::string read_request() {
    std::string out;
    std::size_t wanted = std::string::npos;
    while (out.size() < wanted) {
      std::array<char, 4096> bytes{};
      const auto count = wait() ? ::recv(fd_.get(), bytes.data(), bytes.size(), 0) : 0;
      if (count <= 0) return {};
      out.append(bytes.data(), static_cast<std::size_t>(count));
      const auto head = out.find("\r\n\r\n");
      if (head == out.npos) continue;
      const auto length = out.find("Content-Length: ");
      wanted = head + 4 + (length < head ? std::stoul(out.substr(length + 16)) : 0);
    }
    return out;
  }
  // True when the peer has said `what`, whatever came before it; false when the peer or the server
  // ended first.
  bool read_until(std::string_view what) {
    while (true) {
      const auto at = came_.find(what);
      if (at != came_.npos) {
        came_.erase(0, at + what.size());
        return true;
      }
      std::array<char, 4096> bytes{};
      const auto count = wait() ? ::recv(fd_.get(), bytes.data(), bytes.size(), 0) : 0;
      if (count <= 0) return false;
      came_.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // Writes each byte in a packet of its own.
  void write_apart(std::string_view bytes) {
    const int yes = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    for (const char byte : bytes) {
      write({&byte, 1});
      std::this_thread::yield();
    }
  }
  // The socket, for a script with a protocol of its own.
  [[nodiscard]] int socket() const { return fd_.get(); }
  // Returns when the peer closed the connection.
  void wait_for_close() {
    while (!read_request().empty()) {
    }
  }

 private:
  bool wait() {
    std::array<pollfd, 2> ready{pollfd{fd_.get(), POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    return ::poll(ready.data(), ready.size(), 10'000) > 0 && ready[1].revents == 0;
  }

  Fd fd_;
  int stop_;
  std::string came_;  // what follows the text that read_until() found
};

class TcpServer {
 public:
  using Script = std::function<void(Connection&)>;

  enum class Order { one_by_one, at_once };

  // The first connection plays the first script, and so on; connections after the last play the
  // last one again.
  explicit TcpServer(std::vector<Script> scripts, Order order = Order::one_by_one)
      : TcpServer(std::move(scripts), 0, 0, order) {}
  // `host` counts up from 127.0.0.1.
  TcpServer(std::vector<Script> scripts,
            std::uint32_t host,
            std::uint16_t port,
            Order order = Order::one_by_one)
      : scripts_(std::move(scripts)),
        order_(order),
        socket_(host, port),
        stop_(::eventfd(0, EFD_CLOEXEC)) {
    if (::listen(socket_.get(), 128) != 0) throw std::runtime_error("tcp_server.hpp: listen");
    thread_ = std::thread([this] { serve(); });
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;
  ~TcpServer() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(stop_.get(), &one, sizeof(one)));
    thread_.join();
    for (std::thread& script : at_once_) script.join();
  }

  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }
  // Records a request that a script has read, for the test to check.
  void record(std::string request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
  }
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 2> ready{pollfd{socket_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
      if (::poll(ready.data(), ready.size(), 10'000) <= 0 || ready[1].revents != 0) return;
      const int fd = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      const auto play = [this, fd, number = count_connection()] {
        Connection connection(fd, stop_.get());
        scripts_[std::min(number, scripts_.size() - 1)](connection);
      };
      if (order_ == Order::one_by_one)
        play();
      else
        at_once_.emplace_back(play);
    }
  }
  std::size_t count_connection() {
    const std::lock_guard lock(mutex_);
    return connections_++;
  }

  std::vector<Script> scripts_;
  Order order_;
  LoopbackSocket socket_;
  Fd stop_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::size_t connections_ = 0;
  std::vector<std::thread> at_once_;  // of thread_ alone, until it has ended
  std::thread thread_;
};

}  // namespace weir::test
