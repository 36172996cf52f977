// The sockets of libcurl's connections. libcurl opens, closes and owns them, through this registry,
// which waits for them on the loop, counts the connections and ends those that must not serve
// another request: libcurl can be told neither which connection to use nor which to close. Loop
// thread only.
#pragma once

#include "scalers/clients/http/proxy.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/tls.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace weir::scalers::clients {

class CurlTransfer;

// What the requests on one connection have in common.
struct HttpOrigin {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  TlsContext context;                  // null: plain
  std::shared_ptr<const Proxy> proxy;  // null: none
  bool is_http2 = false;               // wanted, not necessarily agreed on
  TlsContext proxy_context = nullptr;  // null: the proxy is asked without TLS
  std::string address = {};            // the one that must be asked; empty: any

  friend bool operator==(const HttpOrigin& a, const HttpOrigin& b);
};

// Both ends of a connection, as numeric addresses.
struct SocketEnds {
  std::string local_address;
  int local_port = 0;
  std::string remote_address;
  int remote_port = 0;

  friend bool operator==(const SocketEnds&, const SocketEnds&) = default;
};

// One connection.
struct CurlSocket {
  CurlSocket(Loop& loop, int native) : fd(native), descriptor(loop.get_executor()) {}

  const int fd;
  HttpOrigin origin;
  std::string address;  // as the resolver has it
  std::shared_ptr<ConnectionCounts> counts;
  SocketEnds ends;                       // once they are known
  const CurlTransfer* opener = nullptr;  // until the first request: the transfer that connects
  bool is_accepted = false;              // TCP is connected
  int transfers = 0;                     // that use it
  bool is_multiplexed = false;           // HTTP/2
  bool is_ended = false;                 // shut down by us
  bool is_closed = false;                // by libcurl
  bool is_counted = false;               // as closed
  SteadyTime idle_since{};

  // The waits of the loop. Assigned while libcurl has the socket open, and released before it is
  // closed, so that no descriptor is closed twice.
  boost::asio::posix::basic_stream_descriptor<Executor> descriptor;
  int wanted = 0;  // CURL_POLL_*
  bool is_waiting_to_read = false;
  bool is_waiting_to_write = false;
};

class CurlSockets : public std::enable_shared_from_this<CurlSockets> {
 public:
  using SocketPtr = std::shared_ptr<CurlSocket>;  // also owned by its transfers and its waits
  // Called when a socket is readable (CURL_CSELECT_IN) or writable (CURL_CSELECT_OUT).
  using OnReady = std::function<void(int fd, int events)>;

  CurlSockets(Loop& loop, OnReady on_ready) : loop_(loop), on_ready_(std::move(on_ready)) {}
  CurlSockets(const CurlSockets&) = delete;
  CurlSockets& operator=(const CurlSockets&) = delete;
  ~CurlSockets() = default;

  // A new socket for a connection that `opener` makes; nullptr: the system has none.
  [[nodiscard]] SocketPtr open(int family, int type, int protocol, const CurlTransfer* opener);
  // Closes a socket for libcurl. A connection in use is counted once its transfer has an outcome.
  void close(int fd);
  // What libcurl waits for: CURL_POLL_*.
  void wait(int fd, int what);
  // The sockets that `opener` has opened and that never carried a request: libcurl may have closed
  // them without a word.
  void forget(const CurlTransfer* opener);

  // The connection of a transfer that is about to send its request; nullptr: unknown.
  [[nodiscard]] SocketPtr find(const SocketEnds& ends);
  // The address of a connection that can take another request to `origin`; empty: there is none.
  [[nodiscard]] std::string usable_address(const HttpOrigin& origin, SteadyTime now);
  // Whether an idle connection has received neither bytes nor its end. Anything received without a
  // request could be mistaken for the next response.
  [[nodiscard]] static bool has_no_unsolicited_data(const CurlSocket& socket);
  // Whether nothing was received on it for `period`.
  [[nodiscard]] static bool is_silent(const CurlSocket& socket, Duration period);

  // A transfer starts and stops using a connection. `reason` counts a connection that libcurl has
  // closed meanwhile.
  static void acquire(CurlSocket& socket) { ++socket.transfers; }
  void release(CurlSocket& socket, std::string_view reason, SteadyTime now);
  // Ends a connection, counted by `reason`. libcurl finds it dead and closes it.
  static void end(CurlSocket& socket, std::string_view reason);
  // Ends all that are open, for the shutdown.
  void end_all();

 private:
  void arm(const SocketPtr& socket);
  void on_event(const SocketPtr& socket, bool is_write);
  // Ends idle connections that are too old or have received data, at most once a second.
  void prune(SteadyTime now);
  void limit_idle();

  Loop& loop_;
  OnReady on_ready_;
  std::map<int, SocketPtr> sockets_;
  SteadyTime pruned_at_{};
};

}  // namespace weir::scalers::clients
