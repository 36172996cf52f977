// The timer of libcurl is set for every step of every transfer, mostly to a later time. The timer
// of the loop is therefore set only for an earlier one, and may fire for nothing.
#include "scalers/clients/http/curl_multi.hpp"

#include "scalers/clients/http/curl_transfer.hpp"

#include <boost/asio/post.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace weir::scalers::clients {
namespace {

// What runs without the loop in between; other work of the loop must not wait for more.
constexpr int kMaxRuns = 16;
// libcurl's own limit is a backstop, because CurlSockets limits the idle connections.
constexpr long kMaxConnections = 1024;

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

std::shared_ptr<CurlMulti> CurlMulti::make(Loop& loop) {
  return std::shared_ptr<CurlMulti>(new CurlMulti(loop));
}

CurlMulti::CurlMulti(Loop& loop)
    : loop_(loop),
      sockets_(
          std::make_shared<CurlSockets>(loop, [this](int fd, int events) { act(fd, events); })),
      timer_(loop.get_executor()) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  const curl_socket_callback socket_callback =
      [](CURL* easy, curl_socket_t fd, int what, void* self, void* unused) {
        return on_socket(easy, fd, what, self, unused);
      };
  const curl_multi_timer_callback timer_callback = [](CURLM* multi, long timeout_ms, void* self) {
    return on_timer(multi, timeout_ms, self);
  };
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, socket_callback);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, timer_callback);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnections);
}

CurlMulti::~CurlMulti() {
  // No transfer is left, because each of them owns this object.
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

void CurlMulti::start(CurlTransfer* transfer) {
  curl_easy_setopt(transfer->easy(), CURLOPT_PRIVATE, transfer);
  pending_.push_back(transfer);
  if (std::exchange(is_start_posted_, true)) return;
  boost::asio::post(loop_, [self = weak_from_this()] {
    const auto multi = self.lock();
    if (!multi || multi->is_closed()) return;
    multi->is_start_posted_ = false;
    multi->run_due();
  });
}

void CurlMulti::stop(CurlTransfer* transfer) {
  if (std::erase(pending_, transfer) == 0 && std::erase(running_, transfer) != 0)
    curl_multi_remove_handle(multi_, transfer->easy());
  arm_timer();
}

// Each by itself: a transfer that libcurl ends at once leaves its connection to the next one, which
// is known only here, after libcurl has returned.
void CurlMulti::start_pending() {
  while (!pending_.empty()) {
    CurlTransfer* const transfer = pending_.front();
    pending_.erase(pending_.begin());
    running_.push_back(transfer);
    curl_multi_add_handle(multi_, transfer->easy());
    run_timeouts();
  }
}

void CurlMulti::close() {
  if (multi_ == nullptr) return;
  while (!running_.empty() || !pending_.empty()) {
    CurlTransfer* const transfer = running_.empty() ? pending_.back() : running_.back();
    stop(transfer);
    transfer->cancel();
  }
  // Before libcurl closes them, so that they are counted as closed by us.
  sockets_->end_all();
  curl_multi_cleanup(std::exchange(multi_, nullptr));
  timer_.cancel();
}

int CurlMulti::on_socket(void* /*easy*/, int fd, int what, void* self, void* /*unused*/) {
  static_cast<CurlMulti*>(self)->sockets_->wait(fd, what);
  return 0;
}

int CurlMulti::on_timer(void* /*multi*/, long timeout_ms, void* self) {
  auto* const multi = static_cast<CurlMulti*>(self);
  // Only noted, because libcurl must not be called from its callbacks.
  multi->is_due_now_ = timeout_ms == 0;
  multi->due_ = timeout_ms < 0 ? SteadyTime::max() : now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

void CurlMulti::act(int fd, int events) {
  if (multi_ == nullptr) return;
  run(fd, events);
  run_due();
}

void CurlMulti::run(int fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  complete_finished();
}

void CurlMulti::complete_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    // Copied, because removing the handle frees the message.
    const CURLcode code = message->data.result;
    char* owner = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    auto* const transfer = reinterpret_cast<CurlTransfer*>(owner);
    std::erase(running_, transfer);
    curl_multi_remove_handle(multi_, easy);
    transfer->complete(code);
  }
}

void CurlMulti::run_timeouts() {
  is_due_now_ = false;
  // libcurl sets its timer again, unless nothing is left to wait for.
  due_ = SteadyTime::max();
  run(CURL_SOCKET_TIMEOUT, 0);
}

void CurlMulti::run_due() {
  start_pending();
  for (int runs = 0; is_due_now_ && runs < kMaxRuns; ++runs) {
    run_timeouts();
    start_pending();
  }
  arm_timer();
}

void CurlMulti::arm_timer() {
  if (due_ >= armed_) return;
  armed_ = due_;
  timer_.expires_at(due_);
  timer_.async_wait([self = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto multi = self.lock();
    if (!cancelled && multi && !multi->is_closed()) multi->on_expiry();
  });
}

void CurlMulti::on_expiry() {
  armed_ = SteadyTime::max();
  if (now() < due_) return arm_timer();
  is_due_now_ = true;
  run_due();
  // libcurl does not repeat a time that it has already given, such as that of a timer that the loop
  // has run a moment too early.
  long timeout_ms = -1;
  if (due_ == SteadyTime::max()) curl_multi_timeout(multi_, &timeout_ms);
  if (timeout_ms < 0) return;
  due_ = now() + std::chrono::milliseconds(std::max(timeout_ms, 1L));
  arm_timer();
}

}  // namespace weir::scalers::clients
