// The session coroutine. One request at a time: pipelined requests wait in the input buffer.
#include "server/http/session.hpp"

#include "apiservice/meta/status.hpp"
#include "scalers/signal.hpp"
#include "server/http/access_log.hpp"
#include "server/http/audit_id.hpp"
#include "server/http/head.hpp"
#include "server/http/input.hpp"
#include "server/http/response.hpp"
#include "server/logging/log.hpp"
#include "server/tls/handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace weir::server {
namespace {

using apiservice::Response;
using Step = TlsStream::Step;

// The time limits of the phases of a session.
constexpr Duration kHandshake{10'000};
constexpr Duration kFirstRequest{10'000};
constexpr Duration kIdle{120'000};         // longer than Go's 90 s, so that the client closes first
constexpr Duration kHead{5'000};           // from the first byte of a head to its last
constexpr Duration kResponse{30'000};      // the longest deadline that a metric may have
constexpr Duration kResponseSlack{1'000};  // so that the deadline of the request ends first
constexpr Duration kWrite{10'000};
constexpr Duration kClose{1'000};
constexpr std::size_t kRetainedBytes = 4096;  // capacity kept for the next response
constexpr std::size_t kMaxDiscardedBytes = 256 * 1024;

// Awaited in the frame of the caller, because use_awaitable allocates a frame for each operation.
constexpr auto kDeferred = boost::asio::as_tuple(boost::asio::deferred);
constexpr auto kYield = boost::asio::deferred;

bool is_trusted(const PeerFacts& facts) {
  const auto& peer = facts.certificate;
  return peer && (peer->by_request_header_ca == apiservice::Trust::trusted ||
                  peer->by_client_ca == apiservice::Trust::trusted);
}

Socket::wait_type direction_of(Step step) {
  return step == Step::wants_write ? Socket::wait_write : Socket::wait_read;
}

PeerAddress address_of(const Socket& socket) {
  boost::system::error_code failed;
  const auto endpoint = socket.remote_endpoint(failed);
  return failed ? PeerAddress() : PeerAddress(endpoint.address());
}

Response refused_head(const Refusal& refusal) {
  const apiservice::Status status{refusal.status,
                                  "BadRequest",
                                  std::string(refusal.reason),
                                  std::nullopt};
  return apiservice::render(status);
}

}  // namespace

// Invariant: limit_ is the end of the current phase; the registry closes the session after it.
class Session : public TrackedSession {
 public:
  Session(Socket socket, SessionDeps deps)
      : deps_(std::move(deps)),
        socket_(std::move(socket)),
        turn_(deps_.loop),
        id_(deps_.registry->enter(this, address_of(socket_), deps_.clock.steady())) {}
  ~Session() override { deps_.registry->leave(id_); }

  awaitable<void> run() {
    // Before the handshake, because a closed socket has no peer.
    boost::system::error_code ignored;
    const auto endpoint = socket_.remote_endpoint(ignored);
    const std::string peer_address = ignored ? "unknown" : endpoint.address().to_string();
    mark_waiting();
    set_time_limit(kHandshake);
    const bool is_secure = co_await handshake();
    const bool is_certified = is_secure && has_certificate() && is_peer_trusted();
    deps_.registry->end_handshake(id_, is_certified, deps_.clock.steady());
    if (!is_secure) {
      const unsigned long problem = tls_ ? tls_->problem() : 0;
      deps_.telemetry.tls_handshake_failed(peer_address,
                                           handshake_reason(problem, !socket_.is_open()),
                                           deps_.clock.steady());
      co_return;
    }
    bool is_open = true;
    while (is_open) {
      has_suspended_ = false;
      is_open = co_await serve_request();
      // The other sessions have their turn, also when this peer never stops sending.
      if (!has_suspended_) co_await boost::asio::post(deps_.loop.get_executor(), kYield);
    }
    co_await lingering_close();
  }

  void expire(SteadyTime now) override {
    if (now >= limit_) return close();
    // An idle connection frees its 33 KiB of record buffers here, in the scan of the time limits.
    // Freeing them after each read would cost every response three large allocations.
    if (is_idle_) tls_->free_buffers();
  }
  void close() override {
    is_waiting_ = false;
    boost::system::error_code ignored;
    socket_.close(ignored);
    turn_.raise();
  }
  void begin_handshake() override { turn_.raise(); }
  [[nodiscard]] bool is_idle() const override { return is_idle_; }
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const override {
    return is_waiting_ ? std::optional(waiting_since_) : std::nullopt;
  }

 private:
  // False when the connection has ended, or did not have its turn in time.
  awaitable<bool> handshake() {
    boost::system::error_code failed;
    socket_.native_non_blocking(true, failed);
    if (failed) co_return false;
    // A connection that sends nothing has no memory of TLS.
    const bool is_sending = co_await wait(Step::wants_read);
    if (!is_sending) co_return false;
    deps_.registry->wait_for_turn(id_, deps_.clock.steady());
    const bool has_turn = co_await turn_.wait(kHandshake);
    if (!has_turn || !socket_.is_open()) co_return false;
    contexts_ = deps_.tls.contexts();
    tls_.emplace(socket_, contexts_->main().native_handle());
    Step step = tls_->handshake();
    bool is_open = true;
    while (is_open && step != Step::done) {
      is_open = co_await wait(step);
      if (is_open) step = tls_->handshake();
    }
    co_return is_open;
  }

  // Until the socket is ready for what the step wants; false when the connection has ended.
  awaitable<bool> wait(Step step) {
    if (step == Step::failed) co_return false;
    has_suspended_ = true;
    const auto [failed] = co_await socket_.async_wait(direction_of(step), kDeferred);
    co_return !failed;
  }

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
          .finish(refusal->status, deps_.clock.steady(), audit_id_, std::string(refusal->reason));
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
      info.status = response.body;
      head.is_keep_alive = false;
    }
    facts_->certificate = std::move(head.request.peer);
    trace.finish(response.status, deps_.clock.steady(), audit_id_, info.status);
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
    if (!is_current) {
      const bool is_certified = is_peer_trusted();
      deps_.registry->set_certified(id_, is_certified, deps_.clock.steady());
    }
    return facts_->certificate;
  }
  [[nodiscard]] bool is_peer_trusted() {
    facts_ = peer_facts(tls_->native_handle(), deps_.trust);
    return is_trusted(*facts_);
  }
  [[nodiscard]] bool has_certificate() {
    return SSL_get0_peer_certificate(tls_->native_handle()) != nullptr;
  }

  awaitable<bool> read_more() {
    const auto room = in_.room();
    std::size_t size = 0;
    Step step = tls_->read(room.data(), room.size(), size);
    while (step != Step::done) {
      if (step == Step::failed) co_return false;
      has_suspended_ = true;
      // Not by wait(), whose frame each request would pay for.
      const auto [failed] = co_await socket_.async_wait(direction_of(step), kDeferred);
      if (failed) co_return false;
      step = tls_->read(room.data(), room.size(), size);
    }
    in_.add(size);
    co_return true;
  }

  awaitable<bool> write(Response response, bool is_head, bool is_keep_alive) {
    set_time_limit(kWrite);
    out_.clear();
    append_response(out_, response, audit_id_, is_head, is_keep_alive);
    Step step = tls_->write(out_);
    bool is_open = true;
    while (is_open && step != Step::done) {
      is_open = co_await wait(step);
      if (is_open) step = tls_->write(out_);
    }
    if (out_.capacity() > kRetainedBytes) std::string().swap(out_);
    co_return is_open;
  }

  // Sends the TLS close_notify and then reads until the peer closes, within bounds: closing a
  // socket that has unread bytes resets the connection, and the peer could lose the response.
  awaitable<void> lingering_close() {
    set_time_limit(kClose);
    Step step = tls_->shut_down();
    while (step == Step::wants_write) {
      const bool is_open = co_await wait(step);
      if (!is_open) co_return;
      step = tls_->shut_down();
    }
    boost::system::error_code failed;
    socket_.shutdown(Socket::shutdown_send, failed);
    std::size_t discarded = 0;
    const auto discard_buffer = in_.room();
    while (!failed && discarded < kMaxDiscardedBytes) {
      const auto [read_failed, size] = co_await socket_.async_read_some(discard_buffer, kDeferred);
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
  Socket socket_;
  scalers::Signal turn_;                       // raised when the handshake may begin
  std::shared_ptr<ServingContexts> contexts_;  // second owner: ServingTls, until a reload
  std::optional<TlsStream> tls_;               // after the first bytes of the peer
  ConnectionId id_;
  SteadyTime limit_{};
  SteadyTime waiting_since_{};
  bool is_waiting_ = false;
  bool is_idle_ = false;
  bool has_served_ = false;
  bool has_suspended_ = false;  // within the current request
  std::optional<PeerFacts> facts_;
  AuditIds audit_ids_;
  std::string audit_id_;  // of the current response
  SessionInput in_;
  std::string out_;
};

awaitable<void> run_session(Socket socket, SessionDeps deps) {
  Session session(std::move(socket), std::move(deps));
  co_await session.run();
}

}  // namespace weir::server
