// The options that differ between requests; curl_options.cpp has the others. libcurl's defaults are
// those of a new handle.
#include "scalers/clients/http/curl_transfer.hpp"

#include "scalers/clients/http/connect_race.hpp"
#include "scalers/clients/http/curl_error.hpp"
#include "scalers/clients/http/head.hpp"
#include "scalers/clients/net/tls.hpp"
#include "scalers/text/redact.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

namespace weir::scalers::clients {
namespace {

static_assert(CURL_ERROR_SIZE == 256);
constexpr long kProxyLoginRequired = 407;
// Beyond every deadline. A transfer that libcurl has forgotten must not hold its coroutine.
constexpr Duration kGrace{1'000};
// A proxy's response to CONNECT: its head, and the page of a refusal.
constexpr int kMaxProxySteps = 64 * 1024;
constexpr int kProxyStepsOfLook = 256;

SteadyTime now() { return std::chrono::steady_clock::now(); }

long milliseconds(Duration duration) {
  // 0 would be no limit.
  return static_cast<long>(std::max(Duration{1}, duration).count());
}

void append(CurlSlist& list, const std::string& text) {
  // nullptr when there is no memory, else the first entry, which stays the same.
  curl_slist* const first = curl_slist_append(list.get(), text.c_str());
  if (!list) list.reset(first);
}

bool is_address(const std::string& host) {
  return host.find(':') != std::string::npos ||
         host.find_first_not_of("0123456789.") == std::string::npos;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

// An error that callbacks make of an exception, which must not pass through C.
Error internal_error(const std::exception& bug) {
  return {Errc::bad_reply, "an internal error; please report it", remote_text(bug.what(), {})};
}

}  // namespace

void CurlEasyDeleter::operator()(void* easy) const { curl_easy_cleanup(easy); }

void CurlSlistDeleter::operator()(curl_slist* list) const { curl_slist_free_all(list); }

CurlTransfer::CurlTransfer(std::shared_ptr<CurlMulti> multi,
                           std::shared_ptr<const HttpRequest> request,
                           HttpOrigin origin,
                           Route route,
                           Deadline deadline,
                           std::shared_ptr<ConnectRace> race)
    : multi_(std::move(multi)),
      request_(std::move(request)),
      origin_(std::move(origin)),
      route_(std::move(route)),
      deadline_(deadline),
      race_(std::move(race)),
      easy_(curl_easy_init()),
      response_(*request_),
      done_(multi_->loop()) {}

CurlTransfer::~CurlTransfer() { stop(); }

void CurlTransfer::start() {
  if (multi_->is_closed()) return cancel();
  set_fixed_options();
  set_route();
  set_message();
  is_running_ = true;
  multi_->start(this);
}

void CurlTransfer::stop() {
  if (!is_running_) return;
  multi_->stop(this);
  cancel();
}

awaitable<void> CurlTransfer::finished() {
  const bool is_done = co_await done_.wait(deadline_.left(now()) + kGrace);
  if (is_done) co_return;
  multi_->stop(this);
  complete(CURLE_OPERATION_TIMEDOUT);
}

void CurlTransfer::set_route() {
  CURL* const easy = easy_.get();
  const Url& url = request_->url;
  const std::string origin = fmt::format("{}://{}/", url.scheme, url.authority());
  curl_easy_setopt(easy, CURLOPT_URL, origin.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(deadline_.left(now())));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(route_.connect_budget));
  if (!route_.may_reuse) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  // HTTP/2 is negotiated within TLS. The other requests wait for it, instead of connecting, too.
  const bool is_http2 = origin_.is_http2 && origin_.context;
  curl_easy_setopt(easy,
                   CURLOPT_HTTP_VERSION,
                   is_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  if (is_http2) curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  // Without a name in either list libcurl would resolve names on a thread of its own.
  if (origin_.proxy) {
    set_proxy(*origin_.proxy);
  } else {
    append(connect_to_, fmt::format("::{}:", bracketed(route_.address)));
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  if (connect_to_) curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
  if (resolved_proxy_) curl_easy_setopt(easy, CURLOPT_RESOLVE, resolved_proxy_.get());
  if (!origin_.context && !origin_.proxy_context) return;
  // libcurl compares the list of ciphers of a connection with that of a request, but not our
  // context. A name in the list that OpenSSL does not know has no effect; set_up_tls() replaces the
  // list.
  const auto label = [&](const TlsContext& context) {
    return fmt::format("HIGH:weir{}{}",
                       static_cast<const void*>(context.get()),
                       is_http2 ? "-h2" : "");
  };
  curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, label(origin_.context).c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY_SSL_CIPHER_LIST, label(origin_.proxy_context).c_str());
}

void CurlTransfer::set_proxy(const Proxy& proxy) {
  CURL* const easy = easy_.get();
  // The proxy looks up the names of servers, with SOCKS as well.
  const std::string scheme = proxy.scheme == "socks5" ? "socks5h" : proxy.scheme;
  const std::string url = fmt::format("{}://{}", scheme, proxy.authority());
  curl_easy_setopt(easy, CURLOPT_PROXY, url.c_str());
  if (proxy.login) {
    curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy.login->first.reveal().c_str());
    curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy.login->second.reveal().c_str());
  }
  if (!is_address(proxy.host)) {
    append(resolved_proxy_,
           fmt::format("{}:{}:{}", proxy.host, proxy.port, bracketed(route_.address)));
  }
}

void CurlTransfer::set_message() {
  CURL* const easy = easy_.get();
  const bool is_absolute = is_forwarded(*request_);
  curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target_of(*request_, is_absolute).c_str());
  for (const std::string& line : header_lines(*request_)) append(headers_, line);
  if (is_absolute) append(headers_, "Proxy-Connection:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  if (request_->method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request_->body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_->body.c_str());
  }
}

int CurlTransfer::open_socket(int family, int type, int protocol) {
  if (!route_.may_connect) {
    needs_connection_ = true;
    return CURL_SOCKET_BAD;
  }
  const auto socket = multi_->sockets().open(family, type, protocol, this);
  if (!socket) {
    open_error_ = errno;
    return CURL_SOCKET_BAD;
  }
  // libcurl sends a refused request again, on another connection, which has handshakes of its own.
  tls_contexts_ = 0;
  socket->origin = origin_;
  socket->address = route_.address;
  socket->counts = request_->counts;
  opened_ = socket;
  return socket->fd;
}

bool CurlTransfer::before_request(const SocketEnds& ends) {
  const auto socket = multi_->sockets().find(ends);
  if (!socket) return false;
  const bool is_new = socket->opener != nullptr;
  if (race_ && !race_->claim(this)) return false;
  if (is_new) {
    socket->opener = nullptr;
    socket->is_multiplexed = has_multiplexed();
    if (socket->counts) ++socket->counts->opened;
  } else if (socket->is_ended || socket->origin != origin_ ||
             (!socket->is_multiplexed &&
              (socket->transfers > 0 || has_unsolicited_data(*socket)))) {
    // Of another backend, in use, or with bytes that must not be taken for the next response.
    // libcurl offers an HTTP/1.1 connection in use once another one of the host has HTTP/2.
    needs_connection_ = true;
    return false;
  }
  // libcurl itself asks again on another connection when one was lost before its response.
  leave_socket(name_of(Errc::unreachable));
  socket_ = socket;
  CurlSockets::acquire(*socket_);
  was_connected_ = true;
  sent_at_ = now();
  return true;
}

bool CurlTransfer::set_up_tls(void* context) {
  ++tls_contexts_;
  auto* const target = static_cast<ssl_ctx_st*>(context);
  // The first handshake is with a proxy over TLS.
  if (origin_.proxy_context && tls_contexts_ == 1)
    return copy_tls_context(origin_.proxy_context, origin_.proxy->host, target);
  return copy_tls_context(origin_.context, origin_.host, target);
}

bool CurlTransfer::has_multiplexed() const {
  const ssl_st* const connection = tls_connection();
  return origin_.is_http2 && origin_.context && connection != nullptr &&
         has_chosen_http2(connection);
}

bool CurlTransfer::has_unsolicited_data(const CurlSocket& socket) const {
  const ssl_st* const connection = tls_connection();
  return (connection != nullptr && has_unread_data(connection)) ||
         !CurlSockets::has_no_unsolicited_data(socket);
}

const ssl_st* CurlTransfer::tls_connection() const {
  const curl_tlssessioninfo* info = nullptr;
  if (!origin_.context && !origin_.proxy_context) return nullptr;
  if (curl_easy_getinfo(easy_.get(), CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK) return nullptr;
  return static_cast<const ssl_st*>(info->internals);
}

bool CurlTransfer::read_line(const char* text, std::size_t size) {
  try {
    const bool is_multiplexed = socket_ && socket_->is_multiplexed;
    if (!response_.read_line({text, size}, is_multiplexed)) return false;
    if (!response_.is_head_done() || is_multiplexed) return true;
    // Only from here on, because libcurl says much on the way.
    curl_easy_setopt(easy_.get(), CURLOPT_VERBOSE, 1L);
    if (response_.is_until_close()) curl_easy_setopt(easy_.get(), CURLOPT_NOPROGRESS, 0L);
    return true;
  } catch (const std::exception& bug) {
    bug_ = internal_error(bug);
    return false;
  }
}

bool CurlTransfer::read_body(const char* text, std::size_t size) {
  // Also by the clock: after a pause of the process the response lies in the socket, and comes
  // before the timer does.
  if (is_late()) return false;
  try {
    return response_.read_body({text, size});
  } catch (const std::exception& bug) {
    bug_ = internal_error(bug);
    return false;
  }
}

bool CurlTransfer::is_late() const { return deadline_.is_past(now()); }

void CurlTransfer::note_text(std::string_view text) {
  // libcurl drops what follows a response without a Content-Length, and keeps the connection.
  has_excess_ = has_excess_ || text.starts_with("Leftovers after chunking") ||
                text.starts_with("Excess found");
}

bool CurlTransfer::note_progress() {
  if (!was_connected_) return can_wait_for_proxy();
  // The last call comes after the end of the response, before libcurl closes the connection.
  const ssl_st* const connection = tls_connection();
  has_close_notify_ = connection != nullptr && has_close_notify(connection);
  return true;
}

bool CurlTransfer::can_wait_for_proxy() {
  // Called for each byte of the proxy's response to CONNECT, which libcurl reads to its end without
  // a look at the time or at other transfers.
  ++proxy_steps_;
  is_proxy_flooding_ = proxy_steps_ > kMaxProxySteps;
  if (is_proxy_flooding_) return false;
  return proxy_steps_ % kProxyStepsOfLook != 0 || !is_late();
}

void CurlTransfer::complete(int code) {
  is_running_ = false;
  // Inside of two layers of TLS nobody sees whether bytes wait in the outer one.
  const bool is_opaque = origin_.context && origin_.proxy_context;
  if (socket_ && !socket_->is_multiplexed && (has_excess_ || is_opaque))
    CurlSockets::end(*socket_, ConnectionCounts::kIdle);
  auto outcome = outcome_of(code);
  if (outcome && is_late()) {
    // The next request must not wait for a late response.
    if (socket_ && !socket_->is_multiplexed) CurlSockets::end(*socket_, name_of(Errc::timed_out));
    outcome = Error{Errc::timed_out, "it did not respond", ""};
  }
  finish(std::move(outcome));
}

void CurlTransfer::cancel() {
  is_running_ = false;
  leave_socket(ConnectionCounts::kClosed);
  finish(Error{Errc::unreachable, "the request was canceled", ""});
}

bool CurlTransfer::is_cut_off() const {
  // libcurl 7.88 takes the end of TCP for the end of TLS, and anybody on the way can end TCP. Of a
  // response without TLS nobody can tell: RFC 9112, section 6.3, calls it complete.
  const bool is_tls = origin_.context || origin_.proxy_context;
  return is_tls && response_.is_until_close() && !has_close_notify_;
}

Result<HttpReply> CurlTransfer::outcome_of(int code) {
  if (bug_) return *bug_;
  if (response_.problem()) return *response_.problem();
  if (response_.is_stopped()) return response_.take_reply();
  if (is_late()) code = CURLE_OPERATION_TIMEDOUT;
  // Another request on the connection has found the server silent.
  if (socket_ && socket_->is_multiplexed && socket_->is_ended && !response_.is_head_done()) {
    needs_connection_ = true;
    return Error{Errc::timed_out, "it did not respond", ""};
  }
  if (code == CURLE_OK) {
    if (!response_.is_head_done()) return Error{Errc::bad_reply, "the response is incomplete", ""};
    if (is_cut_off()) {
      return Error{Errc::bad_reply,
                   "the response may be incomplete: it has no Content-Length, and its connection "
                   "ended without a close_notify of TLS",
                   ""};
    }
    auto reply = response_.take_reply();
    if (origin_.proxy && reply.status == kProxyLoginRequired)
      return proxy_login_error(origin_.proxy->login.has_value(), kProxyLoginRequired);
    return reply;
  }
  // The server has gone away before it began with the stream (RFC 9113, section 6.8).
  needs_connection_ = needs_connection_ || (code == CURLE_HTTP2 && !response_.is_head_done());
  // What has come before says why: a refusal as a rule.
  if (is_proxy_flooding_) code = CURLE_RECV_ERROR;
  CurlFailure failure{.code = code, .text = error_text_.data()};
  // libcurl keeps the errno of an older failure.
  failure.os_error = open_error_;
  if (code == CURLE_COULDNT_CONNECT && open_error_ == 0)
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &failure.os_error);
  curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &failure.proxy_status);
  failure.has_proxy = origin_.proxy != nullptr;
  failure.has_proxy_login = failure.has_proxy && origin_.proxy->login;
  failure.is_forwarded = is_forwarded(*request_);
  failure.is_tls_of_proxy = origin_.proxy_context && tls_contexts_ <= 1;
  failure.is_accepted = opened_ && opened_->is_accepted;
  failure.is_in_handshake = tls_contexts_ > 0;
  failure.is_connected = was_connected_;
  return error_of(failure);
}

void CurlTransfer::finish(Result<HttpReply> outcome) {
  if (outcome_) return;
  outcome_ = std::move(outcome);
  const bool is_timeout = !*outcome_ && outcome_->error().code == Errc::timed_out;
  // A stream of HTTP/2 that times out leaves its connection to the others, also when the server is
  // gone: then nothing has come since the request.
  const auto waited = std::chrono::duration_cast<Duration>(now() - sent_at_);
  if (is_timeout && socket_ && socket_->is_multiplexed && CurlSockets::is_silent(*socket_, waited))
    CurlSockets::end(*socket_, name_of(Errc::timed_out));
  leave_socket(*outcome_ ? ConnectionCounts::kClosed : name_of(outcome_->error().code));
  multi_->sockets().forget(this);
  if (race_) race_->note_end(this, !*outcome_ && outcome_->error().code == Errc::tls);
  done_.raise();
}

void CurlTransfer::leave_socket(std::string_view reason) {
  if (!socket_) return;
  multi_->sockets().release(*socket_, reason, now());
  socket_ = nullptr;
}

}  // namespace weir::scalers::clients
