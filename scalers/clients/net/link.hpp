// One kept connection to one server, shared by all who ask it: connects when it is needed, writes
// what has gathered since the last write, reads until it is lost, and pauses behind a failure (the
// breaker). The protocol is a Machine: bytes in, bytes out, no sockets. Loop thread only.
#pragma once

#include "scalers/clients/net/breaker.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/stream.hpp"
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

// A protocol on one connection, from its greeting to its end.
class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  // Appends what a client says first.
  virtual void greet(std::string& out) = 0;
  // Takes bytes in and appends what is to be sent; completes whoever waits for what came. An error
  // ends the connection.
  [[nodiscard]] virtual std::optional<Error> receive(std::string_view bytes, std::string& out) = 0;
  // True once the login is through and questions may be put.
  [[nodiscard]] virtual bool is_ready() const = 0;
  // The connection is gone: everyone who waits gets `why`.
  virtual void lose(const Error& why) = 0;
  // When the oldest question that has no answer yet was sent; nullopt: none is open.
  [[nodiscard]] virtual std::optional<SteadyTime> waiting_since() const { return std::nullopt; }
  // How often tick() wants to be called; zero: never. Asked once the machine is ready.
  [[nodiscard]] virtual Duration tick_interval() const { return Duration{0}; }
  // Appends a sign of life, or says that the server gives none.
  [[nodiscard]] virtual std::optional<Error> tick(SteadyTime /*now*/, std::string& /*out*/) {
    return std::nullopt;
  }
};

// A machine and the stream under it. Ends for good when either fails.
class Link : public std::enable_shared_from_this<Link> {
 public:
  using Counts = std::shared_ptr<ConnectionCounts>;

  // `counts` is shared with the client that shows them: a link may end behind it.
  Link(Loop& loop, std::unique_ptr<Machine> machine, Counts counts)
      : machine_(std::move(machine)),
        loop_(loop),
        counts_(std::move(counts)),
        settled_(loop),
        ended_(loop) {}

  // Connects, logs in, and serves until the end; one call, detached. `deadline` is for everything
  // up to the login.
  static awaitable<void> run(std::shared_ptr<Link> self,
                             Resolver& resolver,
                             StreamTarget target,
                             Deadline deadline);
  // Sends `bytes` with whatever else waits to be sent.
  void send(std::string_view bytes);
  // Ends the link: its waiters get `why`. `reason` is the word that counts it, the name of the
  // error's code when empty.
  void end(const Error& why, std::string_view reason = {});

  [[nodiscard]] Machine& machine() { return *machine_; }
  [[nodiscard]] bool is_up() const { return is_up_ && !failure_; }
  // True once the login was through, also after the end.
  [[nodiscard]] bool was_up() const { return is_up_; }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // Ends the link when its oldest open question has waited for 0.9 s and nothing has come in
  // meanwhile: a peer that is gone would hold up everybody's. Called when a deadline has passed.
  void end_if_silent(SteadyTime now);
  // True when the link is up, or has failed, within `budget`.
  [[nodiscard]] awaitable<bool> settled(Duration budget) { return settled_.wait(budget); }

 private:
  static awaitable<void> limit_login(std::shared_ptr<Link> self, Deadline deadline);
  // Sends what has gathered.
  void flush();
  // The rest of it, which the kernel had no room for.
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
  SteadyTime heard_at_{};
  std::string out_;
  bool is_writing_ = false;
};

// Changes when the content of any of the files does; files that are not set do not count.
[[nodiscard]] std::function<std::size_t()> stamp_of(std::vector<SecretFile> files);

class Connection {
 public:
  using MakeMachine = std::function<Result<std::unique_ptr<Machine>>()>;
  // A number that changes when the credentials do.
  using Stamp = std::function<std::size_t()>;

  Connection(Loop& loop,
             Resolver& resolver,
             StreamTarget target,
             MakeMachine make_machine,
             Stamp credentials,
             Link::Counts counts)
      : loop_(loop),
        resolver_(resolver),
        target_(std::move(target)),
        make_machine_(std::move(make_machine)),
        credentials_(std::move(credentials)),
        counts_(std::move(counts)),
        breaker_(kPauses) {}
  ~Connection();

  // The kept link while it is up; nullptr: link() has to be asked.
  [[nodiscard]] std::shared_ptr<Link> kept_link();
  // The link, up: the kept one, or a new one. While a connect is under way everyone joins it.
  // Behind a failure the same error comes back without a try: for up to 0.5 s, or 30 s for refused
  // credentials, unless their files change. While a try behind a failure is under way, or one that
  // outlasted somebody's deadline, nobody waits long for it.
  [[nodiscard]] awaitable<Result<std::shared_ptr<Link>>> link(Deadline deadline);
  // Ends the link, for `reason` in the counts; later ones fail at once.
  void close(std::string_view reason = ConnectionCounts::kClosed);
  [[nodiscard]] bool is_breaker_open() const { return breaker_.is_tripped(); }

 private:
  // A reader keeps an error for up to 1.2 s: with this pause a server is asked again within 2 s of
  // its return.
  static constexpr Breaker::Pauses kPauses{Duration{100}, Duration{500}};

  // Drops a link that ended; notes why, if it was never up.
  void bury(const std::shared_ptr<Link>& link);
  void begin_link(std::unique_ptr<Machine> machine, Deadline deadline);

  Loop& loop_;
  Resolver& resolver_;
  StreamTarget target_;
  MakeMachine make_machine_;
  Stamp credentials_;
  Link::Counts counts_;
  std::shared_ptr<Link> link_;  // also owned by its coroutines and by whoever asks over it
  bool is_overdue_ = false;     // somebody's deadline passed before link_ was up
  Breaker breaker_;
  std::size_t tried_stamp_ = 0;  // of the credentials of the last try
  bool is_closed_ = false;
};

}  // namespace weir::scalers::clients
