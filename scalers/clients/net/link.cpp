// One link for every protocol: what connecting, batching, silence and back-off need is the same for
// AMQP and Redis, and their machines stay free of sockets.
#include "scalers/clients/net/link.hpp"

#include "scalers/clients/net/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace weir::scalers::clients {
namespace {

// The content of the largest TLS record (RFC 8446, section 5.1).
constexpr std::size_t kReadBytes = 16 * 1024;
// A connect is not bound to the deadline of the query that caused it, because later queries may
// wait for it too.
constexpr Duration kConnect{2'500};
// How long a server may be silent while a response is due, once a deadline has passed. Less than a
// deadline of 1 s, because its timer may fire a little early.
constexpr Duration kMaxSilence{900};
// The queue of outgoing bytes is bounded, because a peer may send requests and read no responses.
constexpr std::size_t kMaxUnsent = 1024 * 1024;
// How long a query waits for a server that has just failed.
constexpr Duration kSuspectWait{250};
// Half of it is the mean delay until changed credentials are used.
constexpr Duration kCredentialsInterval{2'000};
// After a login with changed credentials that failed for another reason than these.
constexpr Duration kNextPause{5'000};
// A link that never responds again must not keep its successors from ending.
constexpr std::size_t kMaxReplaced = 4;

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

awaitable<void> Link::run(std::shared_ptr<Link> self,
                          Resolver& resolver,
                          std::shared_ptr<TlsContexts> contexts,
                          StreamTarget target,
                          Deadline deadline) {
  // Started first, because the deadline covers the connect and the login together.
  boost::asio::co_spawn(self->loop_.get_executor(), limit_login(self, deadline), rethrow);
  auto stream = co_await Stream::connect(self->loop_,
                                         resolver,
                                         std::move(contexts),
                                         std::move(target),
                                         deadline);
  if (!stream) {
    self->end(stream.error());
    co_return;
  }
  if (self->failure_) co_return;  // ended while connecting
  self->stream_ = std::move(*stream);
  self->last_received_at_ = now();
  std::string first_bytes;
  self->machine_->on_connected(first_bytes);
  self->send(first_bytes);
  const auto failed = co_await self->read_all();
  self->end(failed.value_or(Error{Errc::unreachable, "the connection was lost", ""}));
}

// A server may accept the connection and then send nothing.
awaitable<void> Link::limit_login(std::shared_ptr<Link> self, Deadline deadline) {
  const bool is_settled = co_await self->settled_.wait(deadline.left(now()));
  if (!is_settled) self->end({Errc::timed_out, "it did not complete the login in time", ""});
}

awaitable<std::optional<Error>> Link::read_all() {
  std::string buffer(kReadBytes, '\0');
  std::string response;
  while (!failure_) {
    const auto size = co_await stream_->read_some(buffer.data(), buffer.size());
    if (!size) co_return size.error();
    last_received_at_ = now();
    response.clear();
    auto failed = machine_->receive({buffer.data(), *size}, response);
    if (!response.empty()) send(response);
    if (failed) co_return failed;
    if (!is_up_ && machine_->is_ready()) {
      is_up_ = true;
      note_opened(*counts_, last_received_at_);
      settled_.raise();
      // Not earlier, because the login negotiates the interval.
      if (machine_->tick_interval().count() > 0) {
        boost::asio::co_spawn(loop_.get_executor(), keep_alive(shared_from_this()), rethrow);
      }
    }
  }
  co_return failure_;
}

void Link::send(std::string_view bytes) {
  if (failure_ || !stream_) return;
  out_ += bytes;
  if (out_.size() > kMaxUnsent) return end({Errc::unreachable, "its receive window is full", ""});
  // The write in flight sends these bytes, too. Asio permits one write on a stream at a time.
  if (is_writing_) return;
  is_writing_ = true;
  // Posted, so that all queries of this turn of the loop are sent in one write.
  boost::asio::post(loop_, [self = shared_from_this()] { self->flush(); });
}

void Link::flush() {
  // Mostly everything fits into the socket buffer, so that no coroutine is needed.
  if (!failure_) out_.erase(0, stream_->write_now(out_));
  is_writing_ = !out_.empty() && !failure_;
  if (is_writing_)
    boost::asio::co_spawn(loop_.get_executor(), write_all(shared_from_this()), rethrow);
}

awaitable<void> Link::write_all(std::shared_ptr<Link> self) {
  while (!self->out_.empty() && !self->failure_) {
    const auto stream = self->stream_;
    // Moved out, because queries append to out_ while the write waits.
    const auto written = co_await stream->write(std::exchange(self->out_, {}));
    if (!written) self->end(written.error());
  }
  self->is_writing_ = false;
}

awaitable<void> Link::keep_alive(std::shared_ptr<Link> self) {
  const Duration interval = self->machine_->tick_interval();
  while (!self->failure_) {
    // Ends with the link, so that a shutdown does not wait for the rest of the interval.
    const bool is_ended = co_await self->ended_.wait(interval);
    if (is_ended) co_return;
    std::string bytes;
    const auto failed = self->machine_->tick(now(), bytes);
    if (!bytes.empty()) self->send(bytes);
    if (failed) self->end(*failed);
  }
}

void Link::end_if_silent(SteadyTime now) {
  const auto since = machine_->waiting_since();
  if (since && now - std::max(last_received_at_, *since) >= kMaxSilence)
    end({Errc::unreachable, "no response for 0.9 s, connection closed", ""});
}

void Link::end(const Error& why, std::string_view reason) {
  if (failure_) return;
  // Set before the queries wake, because they ask failure() whether to connect again.
  failure_ = why;
  const std::string_view counted = reason.empty() ? name_of(why.code) : reason;
  if (is_up_) {
    note_closed(*counts_, counted);
  } else {
    add(counts_->failed, counted);
  }
  // Also ends the read in run(), and so the coroutine that holds the link.
  if (stream_) stream_->close();
  machine_->on_disconnected(why);
  settled_.raise();
  ended_.raise();
}

std::function<std::size_t()> fingerprint_of(std::vector<SecretFile> files) {
  return [files = std::move(files)] {
    std::string content;
    for (const SecretFile& file : files) {
      const auto secret = file.is_set() ? file.read() : Result<Secret>(Secret());
      // A file that cannot be read counts as empty, so that its return is a change, too.
      if (secret) content += secret->reveal();
      content += '\n';
    }
    // Only a hash outlives this call, never a secret.
    return std::hash<std::string>{}(content);
  };
}

Connection::~Connection() { close(); }

void Connection::close(std::string_view reason) {
  is_closed_ = true;
  const Error why{Errc::unreachable, "Weir is shutting down", ""};
  for (const auto& link : replaced_) link->end(why, reason);
  replaced_.clear();
  if (next_) next_->end(why, reason);
  next_.reset();
  if (link_) link_->end(why, reason);
  link_.reset();
}

std::shared_ptr<Link> Connection::live_link() {
  if (!link_ || !link_->is_up()) return nullptr;
  // Here as well as in link(), because a link may come up after its last waiter has given up.
  breaker_.note_success();
  return link_;
}

awaitable<Result<std::shared_ptr<Link>>> Connection::link(Deadline deadline) {
  if (link_ && link_->failure()) discard(link_);
  // The server has ended the link of the old credentials meanwhile.
  if (!link_ && next_ && !next_->failure()) {
    link_ = std::exchange(next_, nullptr);
    refusal_.reset();
  }
  if (!link_) {
    // Its failure says nothing about the login that follows.
    if (next_ && next_->failure()) next_.reset();
    if (is_closed_) co_return Error{Errc::unreachable, "Weir is shutting down", ""};
    const std::size_t fingerprint = credentials_();
    // Changed credentials are tried at once, because the pause protects the account from the
    // rejected ones alone.
    const bool credentials_changed = breaker_.is_refused() && fingerprint != tried_credentials_;
    const auto failure = credentials_changed ? std::nullopt : breaker_.cached_failure(now());
    if (failure) co_return *failure;
    // Fails when a credential file cannot be read. The breaker does not count such a failure,
    // because the server had no part in it.
    auto machine = make_machine_();
    if (!machine) co_return machine.error();
    tried_credentials_ = fingerprint;
    has_older_tls_files_ = !can_use_tls_files();
    refusal_.reset();
    retry_at_.reset();
    is_overdue_ = false;
    // At least kConnect, so that a short deadline does not abort a connect that others may use.
    link_ = begin_link(std::move(*machine), std::max(deadline.left(now()), kConnect));
  }
  // A copy, because link_ may be another link after the wait.
  const auto link = link_;
  if (!link->is_up()) {
    // After a failure queries wait briefly, so that a dead server does not take up their deadlines.
    const bool is_suspect = breaker_.is_tripped() || is_overdue_;
    const Duration left = deadline.left(now());
    const bool is_settled =
        co_await link->settled(is_suspect ? std::min(left, kSuspectWait) : left);
    if (!is_settled) {
      // Only about this link, because another query may have begun the next one meanwhile.
      is_overdue_ = is_overdue_ || link_ == link;
      // Not timed_out, because the caller's own deadline may not have passed.
      if (is_suspect) co_return Error{Errc::unreachable, "still failing to connect", ""};
      co_return Error{Errc::timed_out, "no connection before the deadline", ""};
    }
  }
  if (link->failure()) {
    discard(link);
    co_return *link->failure();
  }
  breaker_.note_success();
  co_return link;
}

std::shared_ptr<Link> Connection::begin_link(std::unique_ptr<Machine> machine, Duration budget) {
  auto link = std::make_shared<Link>(loop_, std::move(machine), counts_);
  boost::asio::co_spawn(
      loop_.get_executor(),
      Link::run(link, resolver_, contexts_, target_, Deadline::after(now(), budget)),
      rethrow);
  return link;
}

bool Connection::can_use_tls_files() const {
  return !target_.is_tls || contexts_->problem_of(target_.tls).empty();
}

void Connection::discard(const std::shared_ptr<Link>& link) {
  if (link_ != link) return;
  // A link that was up and is lost gets replaced at once: only failed connects and logins cause a
  // pause.
  if (!link->was_up()) {
    breaker_.note_failure(*link->failure(), now());
  } else if (refusal_) {
    // The credentials of now are refused: the pause goes on, because the account may be locked.
    breaker_.note_failure(*refusal_, refused_at_);
  }
  link_.reset();
}

void Connection::check_credentials(SteadyTime now) {
  end_replaced();
  settle_next(now);
  // Without a link the next query connects with what the files have then.
  if (is_closed_ || next_ || !link_ || !link_->is_up() || link_->failure()) return;
  if (now - checked_at_ < kCredentialsInterval) return;
  checked_at_ = now;
  const std::size_t fingerprint = credentials_();
  const bool is_retry_due = retry_at_ && now >= *retry_at_;
  // With their CA or key damaged, a new certificate was not used.
  const bool are_files_fixed = has_older_tls_files_ && can_use_tls_files();
  if (fingerprint == tried_credentials_ && !is_retry_due && !are_files_fixed) return;
  // A file that cannot be read is no reason to give up the link in use.
  auto machine = make_machine_();
  if (!machine) return;
  tried_credentials_ = fingerprint;
  has_older_tls_files_ = !can_use_tls_files();
  retry_at_.reset();
  next_ = begin_link(std::move(*machine), kConnect);
}

void Connection::settle_next(SteadyTime now) {
  if (!next_) return;
  if (const auto& failure = next_->failure()) {
    // Of a rejected client certificate TLS is what says so.
    const bool is_refused = failure->code == Errc::refused || failure->code == Errc::forbidden ||
                            failure->code == Errc::tls;
    if (is_refused) refusal_ = *failure;
    refused_at_ = now;
    retry_at_ = now + (is_refused ? Breaker::kRefusedPause : kNextPause);
    next_.reset();
  } else if (next_->is_up()) {
    refusal_.reset();
    if (link_) replaced_.push_back(std::move(link_));
    link_ = std::exchange(next_, nullptr);
    end_replaced();
  }
}

void Connection::end_replaced() {
  const Error why{Errc::unreachable, "the connection was replaced", ""};
  std::erase_if(replaced_, [&](const std::shared_ptr<Link>& link) {
    // Its queries get their responses first.
    const bool is_busy = !link->failure() && link->machine().waiting_since().has_value();
    if (is_busy && replaced_.size() <= kMaxReplaced) return false;
    link->end(why, ConnectionCounts::kClosed);
    return true;
  });
}

std::optional<RefusedCredentials> Connection::refused_credentials() const {
  if (refusal_) return RefusedCredentials{*refusal_, "", is_up(), refused_at_};
  const auto& failure = breaker_.failure();
  if (!failure || failure->code != Errc::refused) return std::nullopt;
  return RefusedCredentials{*failure, "", is_up()};
}

}  // namespace weir::scalers::clients
