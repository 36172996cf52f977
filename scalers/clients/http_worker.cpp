#include "scalers/clients/http_worker.hpp"

#include "scalers/remote_text.hpp"

#include <boost/asio/post.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr long kMaxIdleConnections = 64;
constexpr long kCaCacheSeconds = 60;
// The loop gives up at the deadline; libcurl's own limit only cleans up behind it.
constexpr auto kTimeoutSlack = std::chrono::milliseconds{250};
// A connect that takes nearly all of the time leaves none for an answer; it ends a little before
// the loop gives up, so that it is told apart from an answer that is late.
constexpr long kConnectPercent = 90;
constexpr long kStreamConnectMs = 10'000;
constexpr long kOk = 200;

struct SlistFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Slist = std::unique_ptr<curl_slist, SlistFree>;

void append(Slist& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

// A transfer inside libcurl: the handle and everything its options point to. Worker thread only.
class Exchange {
 public:
  Exchange(Loop& loop, std::shared_ptr<HttpTransfer> transfer)
      : loop_(loop), transfer_(std::move(transfer)), easy_(curl_easy_init()) {
    set_target();
    set_headers();
    set_tls();
    curl_easy_setopt(easy_.get(), CURLOPT_ERRORBUFFER, error_.data());
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    curl_easy_setopt(easy_.get(), CURLOPT_WRITEDATA, this);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() = default;

  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] const std::shared_ptr<HttpTransfer>& transfer() const { return transfer_; }
  [[nodiscard]] Result<HttpReply> outcome(CURLcode code);
  // True for a connect, or a TLS handshake, that ran out of time.
  [[nodiscard]] bool is_unconnected(CURLcode code) const;

 private:
  void set_target();
  void set_headers();
  void set_tls();
  [[nodiscard]] Error error_of(CURLcode code) const;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  // Takes in a piece of the body; false when it is too much.
  bool take(std::string_view piece);
  void set_pem(CURLoption option, const std::string& pem);

  Loop& loop_;
  std::shared_ptr<HttpTransfer> transfer_;
  std::unique_ptr<CURL, EasyFree> easy_;
  std::string address_;  // the url's text
  Slist headers_;
  Slist resolved_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string body_;
  bool is_too_large_ = false;
};

std::size_t Exchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::size_t length = size * count;
  exchange.is_too_large_ = !exchange.take({bytes, length});
  return exchange.is_too_large_ ? 0 : length;
}

// On the loop.
void hand_on(HttpTransfer& transfer, std::string chunk) {
  transfer.untaken_bytes -= chunk.size();
  if (transfer.is_given_up || transfer.request.on_chunk(std::move(chunk))) return;
  transfer.is_given_up = true;
  transfer.outcome = HttpReply{kOk, {}};
  transfer.done.raise();
}

bool Exchange::take(std::string_view piece) {
  const HttpRequest& request = transfer_->request;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (!request.on_chunk || status / 100 != 2) {
    if (body_.size() + piece.size() > request.max_body_bytes) return false;
    body_.append(piece);
    return true;
  }
  if (transfer_->untaken_bytes + piece.size() > request.max_body_bytes) return false;
  transfer_->untaken_bytes += piece.size();
  boost::asio::post(loop_, [transfer = transfer_, chunk = std::string(piece)]() mutable {
    hand_on(*transfer, std::move(chunk));
  });
  return true;
}

void Exchange::set_target() {
  const HttpRequest& request = transfer_->request;
  address_ = request.query.empty() ? request.url.text()
                                   : fmt::format("{}?{}", request.url.text(), request.query);
  // '+': the entry ages like a looked-up one; each request replaces it with what the Resolver
  // knows.
  std::string entry = fmt::format("+{}:{}:", request.url.host, request.url.port);
  for (std::size_t i = 0; i < transfer_->addresses.size(); ++i) {
    const std::string& address = transfer_->addresses[i];
    entry += i > 0 ? "," : "";
    entry += address.find(':') == address.npos ? address : fmt::format("[{}]", address);
  }
  // A numeric host needs no entry, and an IPv6 one could not be written in it.
  const bool is_numeric = transfer_->addresses.front() == request.url.host;
  if (!is_numeric) append(resolved_, entry);
  const auto left = transfer_->deadline.left(std::chrono::steady_clock::now());
  const auto limit = left + kTimeoutSlack;
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, address_.c_str());
  curl_easy_setopt(easy, CURLOPT_RESOLVE, resolved_.get());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  // Zero would mean libcurl's own 300 s.
  long connect_ms = std::max(1L, static_cast<long>(left.count()) * kConnectPercent / 100);
  if (request.on_chunk) connect_ms = std::min(connect_ms, kStreamConnectMs);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  if (request.method == "POST") {
    curl_easy_setopt(easy,
                     CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
}

void Exchange::set_headers() {
  const HttpRequest& request = transfer_->request;
  append(headers_, "Expect:");
  for (const HttpHeader& header : request.headers)
    append(headers_, fmt::format("{}: {}", header.name, header.value.reveal()));
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy_.get(), CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
  if (request.basic) {
    curl_easy_setopt(easy_.get(), CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy_.get(), CURLOPT_USERNAME, request.basic->first.reveal().c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_PASSWORD, request.basic->second.reveal().c_str());
  }
}

void Exchange::set_tls() {
  const TlsFiles& tls = transfer_->request.tls;
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  if (!tls.ca.path.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca.path.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!tls.certificate.path.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.certificate.path.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key.path.c_str());
  }
  const HttpPems& pems = transfer_->request.pems;
  set_pem(CURLOPT_CAINFO_BLOB, pems.ca);
  set_pem(CURLOPT_SSLCERT_BLOB, pems.certificate);
  set_pem(CURLOPT_SSLKEY_BLOB, pems.key.reveal());
  if (!pems.ca.empty()) curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

// libcurl keeps its own copy: it compares the bytes when it looks for a connection to use again.
void Exchange::set_pem(CURLoption option, const std::string& pem) {
  if (pem.empty()) return;
  curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy_.get(), option, &blob);
}

Result<HttpReply> Exchange::outcome(CURLcode code) {
  if (code != CURLE_OK) return error_of(code);
  HttpReply reply;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  reply.body = std::move(body_);
  try {
    if (transfer_->request.digest) transfer_->request.digest(reply);
  } catch (const std::exception& bug) {
    // A bug in whoever digests, or no memory: this request fails, the thread goes on.
    return Error{Errc::bad_reply,
                 "an internal error; please report it",
                 remote_text(bug.what(), {})};
  }
  return reply;
}

bool Exchange::is_unconnected(CURLcode code) const {
  curl_off_t ready = 0;  // when the connection, with its TLS, was there
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &ready);
  return code == CURLE_OPERATION_TIMEDOUT && ready == 0;
}

Error Exchange::error_of(CURLcode code) const {
  const auto hidden = hidden_texts(transfer_->request);
  const std::string remote =
      remote_text(error_[0] != '\0' ? error_.data() : curl_easy_strerror(code), hidden);
  long os_error = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
  const std::string reason =
      std::error_code(static_cast<int>(os_error), std::generic_category()).message();
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::timed_out,
              is_unconnected(code) ? "it did not accept a connection in time" : "it did not answer",
              ""};
    case CURLE_COULDNT_CONNECT:
      return {Errc::unreachable, fmt::format("cannot connect ({})", reason), ""};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return {Errc::tls, "TLS failed", remote};
    case CURLE_WRITE_ERROR:
      if (is_too_large_) {
        const auto limit = transfer_->request.max_body_bytes / 1024;
        return {Errc::too_large,
                fmt::format("the answer is over {} KiB; ask for fewer series", limit),
                ""};
      }
      return {Errc::bad_reply, "the answer cannot be read", remote};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return {Errc::bad_reply, "the answer is not HTTP", remote};
    case CURLE_PARTIAL_FILE: return {Errc::bad_reply, "the answer ends in the middle", ""};
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return {Errc::unreachable, "the connection was lost", remote};
    default: return {Errc::unreachable, "the request failed", remote};
  }
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
      auto exchange = std::make_unique<Exchange>(loop_, std::move(transfer));
      CURL* easy = exchange->easy();
      running_.emplace(easy, std::move(exchange));
      curl_multi_add_handle(multi_, easy);
    }
    for (const auto& transfer : cancelled) {
      const auto found = std::ranges::find_if(running_, [&](auto& one) {
        return one.second->transfer() == transfer;
      });
      if (found == running_.end()) continue;
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
      boost::asio::post(loop_,
                        [transfer = exchange->transfer(),
                         is_unconnected = exchange->is_unconnected(code),
                         outcome = exchange->outcome(code)]() mutable {
                          transfer->outcome = std::move(outcome);
                          transfer->is_unconnected = is_unconnected;
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
  std::map<CURL*, std::unique_ptr<Exchange>> running_;
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
