#include "scalers/clients/http_worker.hpp"

#include "scalers/clients/http_exchange.hpp"

#include <boost/asio/post.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

constexpr long kMaxIdleConnections = 64;

// On the loop. `ending`: why the transfer's connection is not kept.
void count(ConnectionCounts* counts, HttpExchange::Wire wire, std::string_view ending) {
  if (counts == nullptr) return;
  if (wire.is_connected && wire.is_new) ++counts->opened;
  if (!ending.empty()) add(wire.is_connected ? counts->closed : counts->failed, ending);
}

}  // namespace

// Everything of the two threads: members above the line belong to the mutex, those below it to the
// worker's thread.
class HttpWorker::Engine {
 public:
  explicit Engine(Loop& loop) : loop_(loop) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
    thread_ = std::thread([this] { run(); });
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    close();
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
  }

  void start(const std::shared_ptr<HttpTransfer>& transfer) {
    {
      const std::lock_guard lock(mutex_);
      if (!is_closed_) starting_.push_back(transfer);
    }
    if (is_joined_) transfer->done.raise();
    curl_multi_wakeup(multi_);
  }

  void cancel(const std::shared_ptr<HttpTransfer>& transfer) {
    {
      const std::lock_guard lock(mutex_);
      cancelled_.push_back(transfer);
    }
    curl_multi_wakeup(multi_);
  }

  void close() {
    if (is_joined_) return;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    is_joined_ = true;
    for (const auto& transfer : starting_) transfer->done.raise();
    for (const auto& [easy, exchange] : running_) {
      curl_multi_remove_handle(multi_, easy);
      exchange->transfer()->done.raise();
    }
    starting_.clear();
    running_.clear();
  }

 private:
  void run() {
    while (take_commands()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      finish_done();
      curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  bool take_commands() {
    std::vector<std::shared_ptr<HttpTransfer>> starting;
    std::vector<std::shared_ptr<HttpTransfer>> cancelled;
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) return false;
      starting.swap(starting_);
      cancelled.swap(cancelled_);
    }
    for (auto& transfer : starting) {
      auto exchange = std::make_unique<HttpExchange>(loop_, std::move(transfer));
      CURL* easy = exchange->easy();
      running_.emplace(easy, std::move(exchange));
      curl_multi_add_handle(multi_, easy);
    }
    for (const auto& transfer : cancelled) {
      const auto found = std::ranges::find_if(running_, [&](auto& one) {
        return one.second->transfer() == transfer;
      });
      if (found == running_.end()) continue;
      boost::asio::post(loop_, [transfer, wire = found->second->wire()] {
        const bool is_stream = static_cast<bool>(transfer->request.on_chunk);
        count(transfer->request.counts.get(),
              wire,
              is_stream ? ConnectionCounts::kClosed : name_of(Errc::timed_out));
      });
      curl_multi_remove_handle(multi_, found->first);
      running_.erase(found);
    }
    return true;
  }

  void finish_done() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      auto exchange = std::move(running_.extract(easy).mapped());
      curl_multi_remove_handle(multi_, easy);
      boost::asio::post(
          loop_,
          [transfer = exchange->transfer(),
           is_unconnected = exchange->is_unconnected(code),
           wire = exchange->wire(),
           outcome = exchange->outcome(code)]() mutable {
            transfer->outcome = std::move(outcome);
            transfer->is_unconnected = is_unconnected;
            count(transfer->request.counts.get(),
                  wire,
                  transfer->outcome ? std::string_view() : name_of(transfer->outcome.error().code));
            transfer->done.raise();
          });
    }
  }

  Loop& loop_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<HttpTransfer>> starting_;
  std::vector<std::shared_ptr<HttpTransfer>> cancelled_;
  bool is_closed_ = false;
  // ---
  CURLM* multi_ = nullptr;
  std::map<CURL*, std::unique_ptr<HttpExchange>> running_;
  std::thread thread_;
  bool is_joined_ = false;  // loop's thread only
};

HttpWorker::HttpWorker(Loop& loop) : engine_(std::make_unique<Engine>(loop)) {}
HttpWorker::~HttpWorker() = default;
void HttpWorker::start(const std::shared_ptr<HttpTransfer>& transfer) { engine_->start(transfer); }
void HttpWorker::cancel(const std::shared_ptr<HttpTransfer>& transfer) {
  engine_->cancel(transfer);
}
void HttpWorker::close() { engine_->close(); }

}  // namespace weir::scalers::clients
