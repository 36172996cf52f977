// Accepts connections and starts a session for each; watches the sessions' time limits. Owned by
// the App; loop thread.
#pragma once

#include "scalers/task.hpp"
#include "server/crypto/freed.hpp"
#include "server/http/session.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace weir::server {

class Listener {
 public:
  // Throws std::runtime_error that says what to do when the address cannot be bound.
  Listener(Loop& loop, const std::string& address, std::uint16_t port, SessionDeps deps);

  // Accepts until close().
  void start();
  // Accepts no more; open sessions go on.
  void close();

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

  awaitable<void> accept_all();
  [[nodiscard]] bool is_full();
  void serve(Socket socket);
  [[nodiscard]] awaitable<bool> accept_with_reserve();
  void say_whether_out(bool is_out);
  awaitable<void> watch_limits();

  Loop& loop_;
  Acceptor acceptor_;
  SessionDeps deps_;
  std::size_t max_sessions_;
  bool was_full_ = false;
  bool was_out_ = false;
  std::unique_ptr<FILE, Freed<std::fclose>>
      reserve_;  // a descriptor for the time when none is left
};

}  // namespace weir::server
