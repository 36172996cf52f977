// One request by libcurl, on one easy handle. Loop thread only; owned by the coroutine that waits
// for it.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/http/curl_multi.hpp"
#include "scalers/clients/http/curl_sockets.hpp"
#include "scalers/clients/http/response.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct curl_slist;
struct ssl_st;

namespace weir::scalers::clients {

class ConnectRace;

// CURL*, which is void* to users of libcurl.
struct CurlEasyDeleter {
  void operator()(void* easy) const;
};
using CurlEasy = std::unique_ptr<void, CurlEasyDeleter>;

struct CurlSlistDeleter {
  void operator()(curl_slist* list) const;
};
using CurlSlist = std::unique_ptr<curl_slist, CurlSlistDeleter>;

class CurlTransfer {
 public:
  // How to reach the server.
  struct Route {
    std::string address;      // of the server or of its proxy, numeric
    bool may_connect = true;  // false: only on a connection that exists
    bool may_reuse = false;   // false: only on a new one
    Duration connect_budget{0};
  };

  CurlTransfer(std::shared_ptr<CurlMulti> multi,
               std::shared_ptr<const HttpRequest> request,
               HttpOrigin origin,
               Route route,
               Deadline deadline,
               std::shared_ptr<ConnectRace> race = nullptr);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;
  ~CurlTransfer();  // stops it

  // Called once.
  void start();
  // Ends it with Errc::unreachable, and closes its connection.
  void stop();
  // Returns once there is an outcome.
  [[nodiscard]] awaitable<void> finished();

  [[nodiscard]] bool is_done() const { return outcome_.has_value(); }
  // Once it is done.
  [[nodiscard]] Result<HttpReply>& outcome() { return *outcome_; }
  // True when the request was not sent, or got no response on a connection that was lost: it needs
  // a new one.
  [[nodiscard]] bool needs_connection() const { return needs_connection_; }
  // True once the server was reached: TCP, TLS and the proxy.
  [[nodiscard]] bool was_connected() const { return was_connected_; }

  // For CurlMulti.
  [[nodiscard]] void* easy() const { return easy_.get(); }
  void complete(int code);
  void cancel();

 private:
  friend struct CurlCallbacks;

  void set_fixed_options();
  void set_fixed_proxy_options();
  void set_route();
  void set_message();
  void set_proxy(const Proxy& proxy);
  [[nodiscard]] int open_socket(int family, int type, int protocol);
  [[nodiscard]] bool before_request(const SocketEnds& ends);
  [[nodiscard]] bool set_up_tls(void* context);
  [[nodiscard]] bool read_line(const char* text, std::size_t size);
  [[nodiscard]] bool read_body(const char* text, std::size_t size);
  // What libcurl tells about the transfer.
  void note_text(std::string_view text);
  [[nodiscard]] bool note_progress();
  [[nodiscard]] bool can_wait_for_proxy();
  [[nodiscard]] bool is_cut_off() const;
  [[nodiscard]] bool is_late() const;
  [[nodiscard]] const ssl_st* tls_connection() const;
  [[nodiscard]] bool has_multiplexed() const;
  [[nodiscard]] bool has_unsolicited_data(const CurlSocket& socket) const;
  [[nodiscard]] Result<HttpReply> outcome_of(int code);
  void finish(Result<HttpReply> outcome);
  // Leaves the connection to others, counted by `reason` if libcurl has closed it.
  void leave_socket(std::string_view reason);

  std::shared_ptr<CurlMulti> multi_;
  std::shared_ptr<const HttpRequest> request_;
  const HttpOrigin origin_;
  const Route route_;
  const Deadline deadline_;
  std::shared_ptr<ConnectRace> race_;  // also owned by the other attempts; null: no others
  // Of this transfer alone: a response could use memory that libcurl 7.88 has freed, through a
  // pointer that a handle keeps of its last transfer (the header before a continued line).
  CurlEasy easy_;
  // What libcurl reads during the transfer.
  CurlSlist headers_;
  CurlSlist connect_to_;
  CurlSlist resolved_proxy_;
  std::array<char, 256> error_text_{};  // CURL_ERROR_SIZE
  ResponseReader response_;
  CurlSockets::SocketPtr opened_;  // the last one that it has opened
  CurlSockets::SocketPtr socket_;  // from the time when the request is sent
  SteadyTime sent_at_{};
  int tls_contexts_ = 0;
  int open_error_ = 0;  // errno
  bool is_running_ = false;
  bool needs_connection_ = false;
  bool was_connected_ = false;
  bool has_excess_ = false;        // bytes came after the response
  bool has_close_notify_ = false;  // noted for a response that ends with its connection
  int proxy_steps_ = 0;
  bool is_proxy_flooding_ = false;
  std::optional<Error> bug_;
  std::optional<Result<HttpReply>> outcome_;
  Signal done_;
};

}  // namespace weir::scalers::clients
