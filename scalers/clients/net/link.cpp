#include "scalers/clients/net/link.hpp"

#include "scalers/clients/net/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
// A connect is not tied to the read that caused it: whoever comes later may still wait for it.
constexpr Duration kConnect{2'500};
// How long a server may say nothing while it owes an answer, once somebody's deadline has passed:
// less than a deadline of 1 s, whose timer may fire a little early.
constexpr Duration kSilence{900};
// What may wait to be sent: a peer that asks and takes no answers is not kept up with.
constexpr std::size_t kMaxUnsent = 1024 * 1024;
// How long one waits for a server that has just failed.
constexpr Duration kPatience{250};

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

awaitable<void> Link::run(std::shared_ptr<Link> self,
                          Resolver& resolver,
                          StreamTarget target,
                          Deadline deadline) {
  boost::asio::co_spawn(self->loop_.get_executor(), limit_login(self, deadline), rethrow);
  auto stream = co_await Stream::connect(self->loop_, resolver, std::move(target), deadline);
  if (!stream) {
    self->end(stream.error());
    co_return;
  }
  if (self->failure_) co_return;  // ended while it connected
  self->stream_ = std::move(*stream);
  self->heard_at_ = now();
  std::string greeting;
  self->machine_->greet(greeting);
  self->send(greeting);
  const auto failed = co_await self->read_all();
  self->end(failed.value_or(Error{Errc::unreachable, "the connection was lost", ""}));
}

// A server may take the connection and then say nothing.
awaitable<void> Link::limit_login(std::shared_ptr<Link> self, Deadline deadline) {
  const bool is_settled = co_await self->settled_.wait(deadline.left(now()));
  if (!is_settled) self->end({Errc::timed_out, "it did not answer the login in time", ""});
}

awaitable<std::optional<Error>> Link::read_all() {
  std::string buffer(kReadBytes, '\0');
  std::string answer;
  while (!failure_) {
    const auto size = co_await stream_->read_some(buffer.data(), buffer.size());
    if (!size) co_return size.error();
    heard_at_ = now();
    answer.clear();
    auto failed = machine_->receive({buffer.data(), *size}, answer);
    if (!answer.empty()) send(answer);
    if (failed) co_return failed;
    if (!is_up_ && machine_->is_ready()) {
      is_up_ = true;
      note_opened(*counts_, heard_at_);
      settled_.raise();
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
  if (out_.size() > kMaxUnsent) return end({Errc::unreachable, "it takes nothing in", ""});
  if (is_writing_) return;
  is_writing_ = true;
  // Behind what the loop has to do in this turn: all that is asked in it goes out in one write.
  boost::asio::post(loop_, [self = shared_from_this()] { self->flush(); });
}

void Link::flush() {
  if (!failure_) out_.erase(0, stream_->write_now(out_));
  is_writing_ = !out_.empty() && !failure_;
  if (is_writing_)
    boost::asio::co_spawn(loop_.get_executor(), write_all(shared_from_this()), rethrow);
}

awaitable<void> Link::write_all(std::shared_ptr<Link> self) {
  while (!self->out_.empty() && !self->failure_) {
    const auto stream = self->stream_;
    const auto written = co_await stream->write(std::exchange(self->out_, {}));
    if (!written) self->end(written.error());
  }
  self->is_writing_ = false;
}

awaitable<void> Link::keep_alive(std::shared_ptr<Link> self) {
  const Duration interval = self->machine_->tick_interval();
  while (!self->failure_) {
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
  if (since && now - std::max(heard_at_, *since) >= kSilence)
    end({Errc::unreachable, "it fell silent", ""});
}

void Link::end(const Error& why, std::string_view reason) {
  if (failure_) return;
  failure_ = why;
  const std::string_view counted = reason.empty() ? name_of(why.code) : reason;
  if (is_up_) {
    note_closed(*counts_, counted);
  } else {
    add(counts_->failed, counted);
  }
  if (stream_) stream_->close();
  machine_->lose(why);
  settled_.raise();
  ended_.raise();
}

std::function<std::size_t()> stamp_of(std::vector<SecretFile> files) {
  return [files = std::move(files)] {
    std::string content;
    for (const SecretFile& file : files) {
      const auto secret = file.is_set() ? file.read() : Result<Secret>(Secret());
      if (secret) content += secret->reveal();
      content += '\n';
    }
    return std::hash<std::string>{}(content);
  };
}

Connection::~Connection() { close(); }

void Connection::close(std::string_view reason) {
  is_closed_ = true;
  if (link_) link_->end({Errc::unreachable, "the program ends", ""}, reason);
  link_.reset();
}

std::shared_ptr<Link> Connection::kept_link() {
  if (!link_ || !link_->is_up()) return nullptr;
  breaker_.note_success();
  return link_;
}

awaitable<Result<std::shared_ptr<Link>>> Connection::link(Deadline deadline) {
  if (link_ && link_->failure()) bury(link_);
  if (!link_) {
    if (is_closed_) co_return Error{Errc::unreachable, "the program ends", ""};
    const std::size_t stamp = credentials_();
    const bool are_others = breaker_.is_refused() && stamp != tried_stamp_;
    const auto standing = are_others ? std::nullopt : breaker_.stand_in(now());
    if (standing) co_return *standing;
    auto machine = make_machine_();
    if (!machine) co_return machine.error();
    tried_stamp_ = stamp;
    begin_link(std::move(*machine), deadline);
  }
  const auto link = link_;
  if (!link->is_up()) {
    const bool is_suspect = breaker_.is_tripped() || is_overdue_;
    const Duration left = deadline.left(now());
    const bool is_settled = co_await link->settled(is_suspect ? std::min(left, kPatience) : left);
    if (!is_settled) {
      is_overdue_ = is_overdue_ || link_ == link;
      if (is_suspect) co_return Error{Errc::unreachable, "it still accepts no connection", ""};
      co_return Error{Errc::timed_out, "no connection in time", ""};
    }
  }
  if (link->failure()) {
    bury(link);
    co_return *link->failure();
  }
  breaker_.note_success();
  co_return link;
}

void Connection::begin_link(std::unique_ptr<Machine> machine, Deadline deadline) {
  link_ = std::make_shared<Link>(loop_, std::move(machine), counts_);
  is_overdue_ = false;
  const Duration budget = std::max(deadline.left(now()), kConnect);
  boost::asio::co_spawn(loop_.get_executor(),
                        Link::run(link_, resolver_, target_, Deadline::after(now(), budget)),
                        rethrow);
}

void Connection::bury(const std::shared_ptr<Link>& link) {
  if (link_ != link) return;
  if (!link->was_up()) breaker_.note_failure(*link->failure(), now());
  link_.reset();
}

}  // namespace weir::scalers::clients
