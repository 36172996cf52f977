// The session coroutine. One request at a time: pipelined requests wait in the input buffer.
#include "server/http/session.hpp"

#include "apiservice/meta/status.hpp"
#include "server/http/access_log.hpp"
#include "server/http/audit_id.hpp"
#include "server/http/head.hpp"
#include "server/http/input.hpp"
#include "server/http/response.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <exception>
#include <utility>

namespace weir::server {
namespace {

using apiservice::Response;
using Stream = boost::asio::ssl::stream<Socket>;

// The time limits of the phases of a session.
constexpr Duration kHandshake{10'000};
constexpr Duration kFirstRequest{10'000};
constexpr Duration kIdle{120'000};         // longer than Go's 90 s, so that the client closes first
constexpr Duration kHead{5'000};           // from the first byte of a head to its last
constexpr Duration kResponse{30'000};      // the longest deadline that a metric may have
constexpr Duration kResponseSlack{1'000};  // so that the deadline of the request ends first
constexpr Duration kWrite{10'000};
constexpr Duration kClose{1'000};
constexpr Duration kEvictionGrace{
    1'000};  // a session that has waited for less than this is not evicted
constexpr std::size_t kRetainedBytes = 4096;  // capacity kept for the next response
constexpr std::size_t kMaxDiscardedBytes = 256 * 1024;

// Awaited in the frame of the caller, because use_awaitable allocates a frame for each operation.
constexpr auto kDeferred = boost::asio::as_tuple(boost::asio::deferred);

Response refused_head(const Refusal& refusal) {
  const apiservice::Status status{refusal.status,
                                  "BadRequest",
                                  std::string(refusal.reason),
                                  std::nullopt};
  return apiservice::render(status);
}

}  // namespace

// Invariant: limit_ is the end of the current phase; the registry closes the session after it.
class Session {
 public:
  Session(Socket socket, SessionDeps deps)
      : deps_(std::move(deps)),
        contexts_(deps_.tls.contexts()),
        stream_(std::move(socket), contexts_->main()) {
    deps_.registry->sessions_.insert(this);
    SSL_clear_mode(stream_.native_handle(), SSL_MODE_RELEASE_BUFFERS);  // Asio sets it
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { deps_.registry->sessions_.erase(this); }

  awaitable<void> run() {
    mark_waiting();
    set_time_limit(kHandshake);
    const auto [failed] =
        co_await stream_.async_handshake(boost::asio::ssl::stream_base::server, kDeferred);
    // A failed handshake is counted, not logged, because any port scanner causes it.
    if (failed) {
      deps_.telemetry.tls_handshake_failed();
      co_return;
    }
    bool is_open = true;
    while (is_open) is_open = co_await serve_request();
    co_await lingering_close();
  }

  void expire(SteadyTime now) {
    if (now >= limit_) return close();
    // An idle connection frees its 33 KiB of record buffers here, in the scan of the time limits.
    // Freeing them after each read would cost every response three large allocations.
    if (is_idle_) SSL_free_buffers(stream_.native_handle());
  }
  void close() {
    is_waiting_ = false;
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }
  [[nodiscard]] bool is_idle() const { return is_idle_; }
  // Since when Weir waits for the peer to complete a handshake or a head; nullopt: it does not
  // wait.
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const {
    return is_waiting_ ? std::optional(waiting_since_) : std::nullopt;
  }

 private:
  // One request and its response; false when the connection has to be closed.
  awaitable<bool> serve_request() {
    // Bytes received after the last request are the start of a head. Without any the connection is
    // idle; the time limit of the first request is shorter.
    is_idle_ = in_.is_empty();
    mark_waiting();
    set_time_limit(is_idle_ ? (has_served_ ? kIdle : kFirstRequest) : kHead);
    auto head = parse_head(in_.bytes());
    while (std::holds_alternative<NeedMore>(head)) {
      const bool is_first = in_.is_empty();
      const bool has_more = co_await read_more();
      if (!has_more) co_return false;
      is_idle_ = false;
      if (is_first) set_time_limit(kHead);
      head = parse_head(in_.bytes());
    }
    is_idle_ = false;
    is_waiting_ = false;
    has_served_ = true;
    if (const auto* refusal = std::get_if<Refusal>(&head)) {
      audit_id_ = audit_ids_.generate();
      // Without a request there is nothing to label; the refusal is counted all the same.
      RequestTrace(deps_.telemetry, {}, {}, deps_.clock.steady())
          .finish(refusal->status, deps_.clock.steady(), audit_id_);
      co_await write(refused_head(*refusal), false, false);
      co_return false;
    }
    auto& request_head = std::get<Head>(head);
    in_.drop(request_head.size);
    const bool is_open = co_await respond(request_head);
    co_return is_open;
  }

  // `head` is borrowed until the response is written.
  awaitable<bool> respond(Head& head) {
    const bool is_head = head.request.method == "HEAD";
    // Moved back after the response, because copying it costs as much as authenticating it.
    head.request.peer = std::move(peer());
    audit_id_ = audit_ids_.of(head.request);
    apiservice::RequestInfo info = deps_.api.request_info(head.request);
    RequestTrace trace(deps_.telemetry, head.request, info, deps_.clock.steady());
    set_time_limit(kResponse + kResponseSlack);
    const Deadline deadline = Deadline::after(deps_.clock.steady(), kResponse);
    Response response;
    try {
      response = co_await deps_.api.respond(head.request, info, deadline, trace.user);
    } catch (const std::exception& bug) {
      log_rate_limited(Level::error, "request_failed", {{"reason", bug.what()}});
      response = apiservice::render(
          {500, "InternalError", "an internal error; see the log for its cause", std::nullopt});
      head.is_keep_alive = false;
    }
    facts_->certificate = std::move(head.request.peer);
    trace.finish(response.status, deps_.clock.steady(), audit_id_);
    // Read after the response, because a drain may have begun meanwhile.
    const bool is_keep_alive = head.is_keep_alive && !deps_.registry->is_draining();
    const bool is_written = co_await write(std::move(response), is_head, is_keep_alive);
    co_return is_written&& is_keep_alive;
  }

  // The facts of the client certificate. They are computed again after a certificate of its chain
  // has expired, and after a change of the trusted CAs.
  std::optional<apiservice::PeerCertificate>& peer() {
    const bool is_current = facts_ && facts_->generation == deps_.trust.generation &&
                            deps_.clock.wall() < facts_->valid_until;
    if (!is_current) facts_ = peer_facts(stream_.native_handle(), deps_.trust);
    return facts_->certificate;
  }

  awaitable<bool> read_more() {
    const auto [failed, size] = co_await stream_.async_read_some(in_.room(), kDeferred);
    in_.add(size);
    co_return !failed;
  }

  awaitable<bool> write(Response response, bool is_head, bool is_keep_alive) {
    set_time_limit(kWrite);
    out_.clear();
    append_response(out_, response, audit_id_, is_head, is_keep_alive);
    const auto [failed, size] =
        co_await boost::asio::async_write(stream_, boost::asio::buffer(out_), kDeferred);
    const bool is_whole = !failed && size == out_.size();
    if (out_.capacity() > kRetainedBytes) std::string().swap(out_);
    co_return is_whole;
  }

  // Sends the TLS close_notify and then reads until the peer closes, within bounds: closing a
  // socket that has unread bytes resets the connection, and the peer could lose the response.
  awaitable<void> lingering_close() {
    set_time_limit(kClose);
    co_await stream_.async_shutdown(kDeferred);
    boost::system::error_code failed;
    stream_.next_layer().shutdown(Socket::shutdown_send, failed);
    std::size_t discarded = 0;
    const auto discard_buffer = in_.room();
    while (!failed && discarded < kMaxDiscardedBytes) {
      const auto [read_failed, size] =
          co_await stream_.next_layer().async_read_some(discard_buffer, kDeferred);
      failed = read_failed;
      discarded += size;
    }
  }

  void set_time_limit(Duration span) { limit_ = deps_.clock.steady() + span; }
  void mark_waiting() {
    is_waiting_ = true;
    waiting_since_ = deps_.clock.steady();
  }

  SessionDeps deps_;
  std::shared_ptr<ServingContexts> contexts_;  // second owner: ServingTls, until a reload
  Stream stream_;
  SteadyTime limit_{};
  SteadyTime waiting_since_{};
  bool is_waiting_ = false;
  bool is_idle_ = false;
  bool has_served_ = false;
  std::optional<PeerFacts> facts_;
  AuditIds audit_ids_;
  std::string audit_id_;  // of the current response
  SessionInput in_;
  std::string out_;
};

void SessionRegistry::expire(SteadyTime now) {
  for (Session* session : sessions_) session->expire(now);
}

void SessionRegistry::begin_drain() {
  is_draining_ = true;
  for (Session* session : sessions_) {
    if (session->is_idle()) session->close();
  }
}

void SessionRegistry::close_all() {
  for (Session* session : sessions_) session->close();
}

bool SessionRegistry::evict_longest_idle(SteadyTime now) {
  Session* longest = nullptr;
  SteadyTime since = now - kEvictionGrace;
  for (Session* session : sessions_) {
    const auto waiting = session->waiting_since();
    if (!waiting || *waiting > since) continue;
    longest = session;
    since = *waiting;
  }
  // Closed, not destroyed: its pending operation fails and its coroutine ends on its own.
  if (longest != nullptr) longest->close();
  return longest != nullptr;
}

awaitable<void> run_session(Socket socket, SessionDeps deps) {
  Session session(std::move(socket), std::move(deps));
  co_await session.run();
}

}  // namespace weir::server
