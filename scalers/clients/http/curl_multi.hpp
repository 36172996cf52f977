// libcurl on the loop: one multi handle, driven by the readiness of its sockets and one timer
// (curl_multi_socket_action). No thread of its own: names are resolved before libcurl sees them.
// Loop thread only.
#pragma once

#include "scalers/clients/http/curl_sockets.hpp"
#include "scalers/deadline.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <vector>

namespace weir::scalers::clients {

class CurlTransfer;

class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  // Owned by the client and by every transfer.
  [[nodiscard]] static std::shared_ptr<CurlMulti> make(Loop& loop);
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] CurlSockets& sockets() { return *sockets_; }

  // Has the loop add a transfer, which completes once. Never at once, because libcurl may have a
  // response as soon as the request is sent, and a chain of requests would hold the loop.
  void start(CurlTransfer* transfer);
  // Removes a transfer that is not completed; its connection is closed.
  void stop(CurlTransfer* transfer);

  // Cancels every transfer and closes every connection. No transfer may be started afterwards.
  void close();
  [[nodiscard]] bool is_closed() const { return multi_ == nullptr; }

 private:
  explicit CurlMulti(Loop& loop);
  // The callbacks of libcurl for sockets and the timer; `self` is a CurlMulti.
  static int on_socket(void* easy, int fd, int what, void* self, void* unused);
  static int on_timer(void* multi, long timeout_ms, void* self);

  void act(int fd, int events);
  // Calls curl_multi_socket_action and completes what it has finished.
  void run(int fd, int events);
  void start_pending();
  // Completes the transfers that libcurl has finished.
  void complete_finished();
  // Calls libcurl for the times that it has set.
  void run_timeouts();
  // Starts what is pending, runs what is due at once, and sets the timer for the rest.
  void run_due();
  void arm_timer();
  void on_expiry();

  Loop& loop_;
  void* multi_ = nullptr;  // CURLM*; null once closed
  std::shared_ptr<CurlSockets> sockets_;
  std::vector<CurlTransfer*> running_;
  std::vector<CurlTransfer*> pending_;  // to be added
  bool is_start_posted_ = false;
  Timer timer_;
  SteadyTime due_ = SteadyTime::max();    // when libcurl wants to run
  SteadyTime armed_ = SteadyTime::max();  // when the timer fires
  bool is_due_now_ = false;
};

}  // namespace weir::scalers::clients
