// Accepts connections, starts a session for each, and enforces the time limits of the sessions.
// Owned by the App; loop thread only.
#pragma once

#include "scalers/task.hpp"
#include "server/crypto/c_deleter.hpp"
#include "server/http/session.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace weir::server {

class Listener {
 public:
  // Throws std::runtime_error with what to change when the address cannot be bound.
  Listener(Loop& loop, const std::string& address, std::uint16_t port, SessionDeps deps);

  // Accepts until close().
  void start();
  // Stops accepting; open sessions continue.
  void close();

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

  awaitable<void> accept_all();
  void log_pool_state();
  void serve(Socket socket);
  // Connections that wait in the backlog.
  void serve_waiting();
  [[nodiscard]] awaitable<bool> accept_via_reserve_fd();
  void log_descriptor_state(bool is_out_of_descriptors);
  awaitable<void> watch_limits();
  // By the memory and the descriptors of the process.
  void size_pool();
  // After a burst of connections, whose memory would stay in holes between what is in use.
  void release_memory(SteadyTime now);

  Loop& loop_;
  Acceptor acceptor_;
  SessionDeps deps_;
  SteadyTime sized_at_{};
  SteadyTime released_at_{};
  std::size_t most_sessions_ = 0;  // since memory was released last
  bool was_full_ = false;
  bool was_out_of_descriptors_ = false;
  std::unique_ptr<FILE, CDeleter<std::fclose>>
      reserve_;  // an open descriptor, closed to accept a connection when the process has no other
                 // left
};

}  // namespace weir::server
