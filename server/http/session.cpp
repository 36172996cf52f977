#include "server/http/session.hpp"

#include "apiservice/meta/status.hpp"
#include "server/http/access_log.hpp"
#include "server/http/answer.hpp"
#include "server/http/audit_id.hpp"
#include "server/http/head.hpp"
#include "server/http/input.hpp"
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

constexpr Duration kHandshake{10'000};
constexpr Duration kFirstRequest{10'000};
constexpr Duration kIdle{120'000};       // longer than Go's 90 s, so that the client closes first
constexpr Duration kHead{5'000};         // from the first byte of a head to its last
constexpr Duration kAnswer{30'000};      // the longest deadline that a metric may have
constexpr Duration kAnswerSlack{1'000};  // the answer's own deadline comes first
constexpr Duration kWrite{10'000};
constexpr Duration kClose{1'000};
constexpr Duration kPatience{1'000};  // with a peer that sends nothing, when others want its place
constexpr std::size_t kKeptBytes = 4096;  // room for the next answer
constexpr std::size_t kMaxDiscardedBytes = 256 * 1024;

// Awaited in the frame that asks: use_awaitable would make another one each time.
constexpr auto kToken = boost::asio::as_tuple(boost::asio::deferred);

Response refused_head(const Refusal& refusal) {
  const apiservice::Status status{refusal.status,
                                  "BadRequest",
                                  std::string(refusal.why),
                                  std::nullopt};
  return apiservice::render(status);
}

}  // namespace

class Session {
 public:
  Session(Socket socket, SessionDeps deps)
      : deps_(std::move(deps)),
        contexts_(deps_.tls.contexts()),
        stream_(std::move(socket), contexts_->main()) {
    deps_.registry->sessions_.insert(this);
    SSL_clear_mode(stream_.native_handle(), SSL_MODE_RELEASE_BUFFERS);  // which Asio sets
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { deps_.registry->sessions_.erase(this); }

  awaitable<void> run() {
    wait_for_peer();
    allow(kHandshake);
    const auto [failed] =
        co_await stream_.async_handshake(boost::asio::ssl::stream_base::server, kToken);
    if (failed) {
      deps_.telemetry.tls_handshake_failed();
      co_return;
    }
    bool is_open = true;
    while (is_open) is_open = co_await serve_one();
    co_await close_gently();
  }

  void expire(SteadyTime now) {
    if (now >= limit_) return close();
    // An idle connection gives its 33 KiB of records back here: at each read they cost an answer
    // three large allocations.
    if (is_idle_) SSL_free_buffers(stream_.native_handle());
  }
  void close() {
    is_waiting_ = false;
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }
  [[nodiscard]] bool is_idle() const { return is_idle_; }
  // Since when the peer has sent no whole handshake or head; nullopt: it is not its turn.
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const {
    return is_waiting_ ? std::optional(waiting_since_) : std::nullopt;
  }

 private:
  // One request and its answer; false when the connection is to be closed.
  awaitable<bool> serve_one() {
    // Bytes that came behind the last request begin a head; else the connection idles, at first not
    // for long.
    is_idle_ = in_.is_empty();
    wait_for_peer();
    allow(is_idle_ ? (has_served_ ? kIdle : kFirstRequest) : kHead);
    auto head = parse_head(in_.bytes());
    while (std::holds_alternative<NeedMore>(head)) {
      const bool is_first = in_.is_empty();
      const bool has_more = co_await read_more();
      if (!has_more) co_return false;
      is_idle_ = false;
      if (is_first) allow(kHead);
      head = parse_head(in_.bytes());
    }
    is_idle_ = false;
    is_waiting_ = false;
    has_served_ = true;
    if (const auto* refusal = std::get_if<Refusal>(&head)) {
      audit_id_ = audit_ids_.make();
      RequestTrace(deps_.telemetry, {}, {}, deps_.clock.steady())
          .answered(refusal->status, deps_.clock.steady(), audit_id_);
      co_await write(refused_head(*refusal), false, false);
      co_return false;
    }
    auto& accepted = std::get<Head>(head);
    in_.drop(accepted.size);
    const bool is_open = co_await answer(accepted);
    co_return is_open;
  }

  // `head` is lent until the answer is written.
  awaitable<bool> answer(Head& head) {
    const bool is_head = head.request.method == "HEAD";
    // Lent for the answer: to copy it costs as much as to judge it.
    head.request.peer = std::move(peer());
    audit_id_ = audit_ids_.of(head.request);
    apiservice::RequestInfo info = deps_.api.request_info(head.request);
    RequestTrace trace(deps_.telemetry, head.request, info, deps_.clock.steady());
    allow(kAnswer + kAnswerSlack);
    const Deadline deadline = Deadline::after(deps_.clock.steady(), kAnswer);
    Response response;
    try {
      response = co_await deps_.api.respond(head.request, info, deadline, trace.user);
    } catch (const std::exception& bug) {
      log_often(Level::error, "request_failed", {{"reason", bug.what()}});
      response = apiservice::render(
          {500, "InternalError", "an internal error; the log has its cause", std::nullopt});
      head.is_keep_alive = false;
    }
    facts_->certificate = std::move(head.request.peer);
    trace.answered(response.status, deps_.clock.steady(), audit_id_);
    const bool is_keep_alive = head.is_keep_alive && !deps_.registry->is_draining();
    const bool is_written = co_await write(std::move(response), is_head, is_keep_alive);
    co_return is_written&& is_keep_alive;
  }

  // The facts of the client certificate, asked again once one of its chain has expired, or what is
  // trusted has changed.
  std::optional<apiservice::PeerCertificate>& peer() {
    const bool is_known = facts_ && facts_->generation == deps_.trust.generation &&
                          deps_.clock.wall() < facts_->valid_until;
    if (!is_known) facts_ = peer_facts(stream_.native_handle(), deps_.trust);
    return facts_->certificate;
  }

  awaitable<bool> read_more() {
    const auto [failed, size] = co_await stream_.async_read_some(in_.room(), kToken);
    in_.add(size);
    co_return !failed;
  }

  awaitable<bool> write(Response response, bool is_head, bool is_keep_alive) {
    allow(kWrite);
    out_.clear();
    append_answer(out_, response, audit_id_, is_head, is_keep_alive);
    const auto [failed, size] =
        co_await boost::asio::async_write(stream_, boost::asio::buffer(out_), kToken);
    const bool is_whole = !failed && size == out_.size();
    if (out_.capacity() > kKeptBytes) std::string().swap(out_);
    co_return is_whole;
  }

  // Says goodbye, then lets a peer that still sends finish, within bounds: closing over unread
  // bytes would reset the connection before the peer has read the answer.
  awaitable<void> close_gently() {
    allow(kClose);
    co_await stream_.async_shutdown(kToken);
    boost::system::error_code failed;
    stream_.next_layer().shutdown(Socket::shutdown_send, failed);
    std::size_t discarded = 0;
    const auto rubbish = in_.room();
    while (!failed && discarded < kMaxDiscardedBytes) {
      const auto [read_failed, size] =
          co_await stream_.next_layer().async_read_some(rubbish, kToken);
      failed = read_failed;
      discarded += size;
    }
  }

  void allow(Duration span) { limit_ = deps_.clock.steady() + span; }
  void wait_for_peer() {
    is_waiting_ = true;
    waiting_since_ = deps_.clock.steady();
  }

  SessionDeps deps_;
  std::shared_ptr<ServingContexts> contexts_;  // also owned by ServingTls, until a reload
  Stream stream_;
  SteadyTime limit_{};
  SteadyTime waiting_since_{};
  bool is_waiting_ = false;
  bool is_idle_ = false;
  bool has_served_ = false;
  std::optional<PeerFacts> facts_;
  AuditIds audit_ids_;
  std::string audit_id_;  // of the answer under way
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

bool SessionRegistry::make_room(SteadyTime now) {
  Session* longest = nullptr;
  SteadyTime since = now - kPatience;
  for (Session* session : sessions_) {
    const auto waiting = session->waiting_since();
    if (!waiting || *waiting > since) continue;
    longest = session;
    since = *waiting;
  }
  if (longest != nullptr) longest->close();
  return longest != nullptr;
}

awaitable<void> run_session(Socket socket, SessionDeps deps) {
  Session session(std::move(socket), std::move(deps));
  co_await session.run();
}

}  // namespace weir::server
