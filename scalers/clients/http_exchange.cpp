#include "scalers/clients/http_exchange.hpp"

#include "scalers/remote_text.hpp"

#include <boost/asio/post.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr long kCaCacheSeconds = 60;
// The loop gives up at the deadline; libcurl's own limit only cleans up behind it.
constexpr auto kTimeoutSlack = std::chrono::milliseconds{250};
// A connect that takes nearly all of the time leaves none for an answer; it ends a little before
// the loop gives up, so that it is told apart from an answer that is late.
constexpr long kConnectPercent = 90;
constexpr long kStreamConnectMs = 10'000;
constexpr long kOk = 200;
constexpr std::size_t kCopiedBytes = std::size_t{64} * 1024;

void append(Slist& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

// On the loop.
void hand_on(HttpTransfer& transfer, std::string chunk) {
  transfer.untaken_bytes -= chunk.size();
  if (transfer.is_given_up || transfer.request.on_chunk(std::move(chunk))) return;
  transfer.is_given_up = true;
  transfer.outcome = HttpReply{kOk, {}};
  transfer.done.raise();
}

}  // namespace

void SlistFree::operator()(curl_slist* list) const { curl_slist_free_all(list); }
void EasyFree::operator()(void* easy) const { curl_easy_cleanup(easy); }

HttpExchange::HttpExchange(Loop& loop, std::shared_ptr<HttpTransfer> transfer)
    : loop_(loop), transfer_(std::move(transfer)), easy_(curl_easy_init()) {
  static_assert(kErrorBytes >= CURL_ERROR_SIZE);
  set_target();
  set_headers();
  set_tls();
  curl_easy_setopt(easy_.get(), CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &HttpExchange::on_body);
  curl_easy_setopt(easy_.get(), CURLOPT_WRITEDATA, this);
}

std::size_t HttpExchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  const std::size_t length = size * count;
  exchange.is_too_large_ = !exchange.take({bytes, length});
  return exchange.is_too_large_ ? 0 : length;
}

bool HttpExchange::take(std::string_view piece) {
  const HttpRequest& request = transfer_->request;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (!request.on_chunk || status / 100 != 2) {
    return keep(piece);
  }
  if (transfer_->untaken_bytes + piece.size() > request.max_body_bytes) return false;
  transfer_->untaken_bytes += piece.size();
  boost::asio::post(loop_, [transfer = transfer_, chunk = std::string(piece)]() mutable {
    hand_on(*transfer, std::move(chunk));
  });
  return true;
}

// A body that says its length is refused before it comes. One that grows is copied while it is
// small, and then has room for all that it may become: doubling would hold three halves of it.
bool HttpExchange::keep(std::string_view piece) {
  const std::size_t limit = transfer_->request.max_body_bytes;
  curl_off_t said = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &said);
  const std::size_t size = body_.size() + piece.size();
  if (size > limit || std::cmp_greater(said, limit)) return false;
  if (size > body_.capacity() && size > kCopiedBytes) body_.reserve(limit);
  body_.append(piece);
  return true;
}

void HttpExchange::set_target() {
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
  void* easy = easy_.get();
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

void HttpExchange::set_headers() {
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

void HttpExchange::set_tls() {
  const TlsFiles& tls = transfer_->request.tls;
  void* easy = easy_.get();
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
void HttpExchange::set_pem(int option, const std::string& pem) {
  if (pem.empty()) return;
  curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy_.get(), static_cast<CURLoption>(option), &blob);
}

Result<HttpReply> HttpExchange::outcome(int code) {
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

bool HttpExchange::is_unconnected(int code) const {
  curl_off_t ready = 0;  // when the connection, with its TLS, was there
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &ready);
  return code == CURLE_OPERATION_TIMEDOUT && ready == 0;
}

HttpExchange::Wire HttpExchange::wire() const {
  long made = 0;
  curl_off_t ready = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &made);
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &ready);
  return {made > 0, ready > 0};
}

Error HttpExchange::error_of(int code) const {
  const auto hidden = hidden_texts(transfer_->request);
  const std::string remote = remote_text(
      error_[0] != '\0' ? error_.data() : curl_easy_strerror(static_cast<CURLcode>(code)),
      hidden);
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

}  // namespace weir::scalers::clients
