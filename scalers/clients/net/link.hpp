// One persistent connection to one server, shared by all queries to it: connects on demand, writes
// what has been queued since the last write, reads until the connection is lost, and pauses after a
// failure (the breaker). The protocol is a Machine: bytes in, bytes out, no sockets. Loop thread
// only.
#pragma once

#include "scalers/clients/net/breaker.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/stream.hpp"
#include "scalers/clients/net/tls.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

class Resolver;

// A protocol on one connection, from its first bytes to its end. A machine serves one connection
// and is never reused.
class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  // Appends the bytes that the client sends first.
  virtual void on_connected(std::string& out) = 0;
  // Consumes received bytes, appends what to send, and completes the queries whose responses have
  // arrived. An error ends the connection.
  [[nodiscard]] virtual std::optional<Error> receive(std::string_view bytes, std::string& out) = 0;
  // True once the login has succeeded and queries may be sent.
  [[nodiscard]] virtual bool is_ready() const = 0;
  // The connection is gone: every waiting query fails with `why`.
  virtual void on_disconnected(const Error& why) = 0;
  // When the oldest query without a response was sent; nullopt: no query is in flight.
  [[nodiscard]] virtual std::optional<SteadyTime> waiting_since() const { return std::nullopt; }
  // How often to call tick(); zero: never. Read once the machine is ready.
  [[nodiscard]] virtual Duration tick_interval() const { return Duration{0}; }
  // Appends a heartbeat; an error when the server's heartbeats have stopped.
  [[nodiscard]] virtual std::optional<Error> tick(SteadyTime /*now*/, std::string& /*out*/) {
    return std::nullopt;
  }
};

// A machine and its stream. Once either has failed, the link never comes back: Connection makes the
// next one.
class Link : public std::enable_shared_from_this<Link> {
 public:
  using Counts = std::shared_ptr<ConnectionCounts>;

  // `counts` is shared with the client that reports them, because a link may outlive its client.
  Link(Loop& loop, std::unique_ptr<Machine> machine, Counts counts)
      : machine_(std::move(machine)),
        loop_(loop),
        counts_(std::move(counts)),
        settled_(loop),
        ended_(loop) {}

  // Connects, logs in, and serves until the end; called once, detached. `deadline` limits the time
  // until the login has succeeded.
  static awaitable<void> run(std::shared_ptr<Link> self,
                             Resolver& resolver,
                             std::shared_ptr<TlsContexts> contexts,
                             StreamTarget target,
                             Deadline deadline);
  // Sends `bytes` together with everything else that is queued.
  void send(std::string_view bytes);
  // Ends the link: its queries fail with `why`. `reason` is the one to count, the name of the
  // error's code when empty.
  void end(const Error& why, std::string_view reason = {});

  [[nodiscard]] Machine& machine() { return *machine_; }
  [[nodiscard]] bool is_up() const { return is_up_ && !failure_; }
  // True once the login has succeeded, also after the end.
  [[nodiscard]] bool was_up() const { return is_up_; }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // Ends the link when its oldest query has waited for 0.9 s and nothing was received meanwhile,
  // because a dead peer would delay every query. Called when a deadline has passed.
  void end_if_silent(SteadyTime now);
  // True when the link is up, or has failed, within `budget`.
  [[nodiscard]] awaitable<bool> settled(Duration budget) { return settled_.wait(budget); }

 private:
  static awaitable<void> limit_login(std::shared_ptr<Link> self, Deadline deadline);
  // Writes what is queued, as far as the kernel takes it.
  void flush();
  // Writes the rest.
  static awaitable<void> write_all(std::shared_ptr<Link> self);
  static awaitable<void> keep_alive(std::shared_ptr<Link> self);
  awaitable<std::optional<Error>> read_all();

  std::unique_ptr<Machine> machine_;
  Loop& loop_;
  Counts counts_;
  std::shared_ptr<Stream> stream_;  // also owned by the expiry of its connect
  Signal settled_;                  // up, or failed
  Signal ended_;
  bool is_up_ = false;
  std::optional<Error> failure_;
  SteadyTime last_received_at_{};
  std::string out_;
  bool is_writing_ = false;
};

// A function whose result changes when the content of any of the files does; files that are not set
// do not count.
[[nodiscard]] std::function<std::size_t()> fingerprint_of(std::vector<SecretFile> files);

class Connection {
 public:
  using MakeMachine = std::function<Result<std::unique_ptr<Machine>>()>;
  // Returns a number that changes when the credentials do.
  using Fingerprint = std::function<std::size_t()>;

  Connection(Loop& loop,
             Resolver& resolver,
             StreamTarget target,
             MakeMachine make_machine,
             Fingerprint credentials,
             Link::Counts counts,
             std::shared_ptr<TlsContexts> contexts = std::make_shared<TlsContexts>())
      : loop_(loop),
        resolver_(resolver),
        target_(std::move(target)),
        make_machine_(std::move(make_machine)),
        credentials_(std::move(credentials)),
        counts_(std::move(counts)),
        contexts_(std::move(contexts)),
        breaker_(kPauses) {}
  ~Connection();

  // The link while it is up; nullptr: call link().
  [[nodiscard]] std::shared_ptr<Link> live_link();
  // The link, up: the existing one, or a new one. All callers join a connect that is in flight.
  // After a failure its error is returned without an attempt, for up to 0.5 s, or 30 s for refused
  // credentials unless their files change. Callers wait only briefly for an attempt that follows a
  // failure or has already outlasted a caller's deadline.
  [[nodiscard]] awaitable<Result<std::shared_ptr<Link>>> link(Deadline deadline);
  // Ends the link, counted by `reason`; later calls of link() fail at once.
  void close(std::string_view reason = ConnectionCounts::kClosed);
  // Reads the credential files again, at most every 2 s. Changed credentials log in on a second
  // link, and the link in use serves until that login has succeeded. After a refused login the link
  // in use goes on, and the next attempt is 30 s later unless the files change.
  void check_credentials(SteadyTime now);
  // The credentials of the last attempt, when the server refused them. A link with older ones may
  // be up all the same.
  [[nodiscard]] std::optional<RefusedCredentials> refused_credentials() const;
  // Whether a link is up, as far as is known.
  [[nodiscard]] bool is_up() const { return link_ != nullptr && link_->is_up(); }
  [[nodiscard]] bool is_breaker_open() const { return breaker_.is_tripped(); }

 private:
  // The reader caches an error for up to 1.2 s: with this pause a server is queried again within 2
  // s of its recovery.
  static constexpr Breaker::Pauses kPauses{Duration{100}, Duration{500}};

  // Whether a link has the TLS files as they are, rather than the last good ones.
  [[nodiscard]] bool can_use_tls_files() const;
  // Drops a link that has ended; reports a failure to the breaker if the link was never up.
  void discard(const std::shared_ptr<Link>& link);
  [[nodiscard]] std::shared_ptr<Link> begin_link(std::unique_ptr<Machine> machine, Duration budget);
  // Uses next_ once it is up, or forgets it once it has failed.
  void settle_next(SteadyTime now);
  // Ends the replaced links that have no query in flight any more.
  void end_replaced();

  Loop& loop_;
  Resolver& resolver_;
  StreamTarget target_;
  MakeMachine make_machine_;
  Fingerprint credentials_;
  Link::Counts counts_;
  std::shared_ptr<TlsContexts> contexts_;  // also owned by the other connections of the program
  std::shared_ptr<Link> link_;             // also owned by its coroutines and the queries on it
  std::shared_ptr<Link> next_;             // with changed credentials; takes the place of link_
  std::vector<std::shared_ptr<Link>> replaced_;  // the oldest first, at most kMaxReplaced
  bool is_overdue_ = false;                      // a caller's deadline passed before link_ was up
  Breaker breaker_;
  std::size_t tried_credentials_ = 0;  // the fingerprint at the last attempt
  bool has_older_tls_files_ = false;   // the last attempt could not use those of now
  SteadyTime checked_at_{};            // by check_credentials()
  std::optional<Error> refusal_;       // of the last attempt beside link_
  SteadyTime refused_at_{};
  std::optional<SteadyTime> retry_at_;  // of an attempt beside link_ that has failed
  bool is_closed_ = false;
};

}  // namespace weir::scalers::clients
