// Asks all Sentinels at once, because one alone may not have heard of a failover yet: they tell
// each other every 2 s.
#include "scalers/clients/redis/sentinel.hpp"

#include "scalers/signal.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::scalers::clients {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

// One round of questions.
struct Poll {
  Poll(Loop& loop, std::size_t sentinels)
      : configured(sentinels), has_majority(loop), is_complete(loop) {}

  void note(Result<SentinelMaster> opinion, bool is_awaited) {
    if (opinion) ++answered;
    if (is_awaited) --awaited;
    opinions.push_back(std::move(opinion));
    const bool is_last = opinions.size() == configured;
    if (awaited == 0 || is_last) is_complete.raise();
    if (2 * answered > configured || is_last) has_majority.raise();
  }

  std::size_t configured;
  std::size_t answered = 0;
  std::size_t awaited = 0;  // Sentinels that are not late, and have not been heard
  std::vector<Result<SentinelMaster>> opinions;
  Signal has_majority;  // or all have been heard
  Signal is_complete;   // all that are not late have been heard
};

awaitable<void> ask(std::shared_ptr<Sentinel> sentinel,
                    std::string service,
                    Deadline deadline,
                    std::shared_ptr<Poll> poll,
                    bool is_awaited) {
  const auto replies =
      co_await sentinel->client->commands(service, master_commands(service), deadline);
  sentinel->is_late = false;
  sentinel->is_heard = true;
  poll->note(replies ? parse_master(service, *replies) : Result<SentinelMaster>(replies.error()),
             is_awaited);
}

template <class Run>
awaitable<void> ask_all(Loop& loop,
                        std::vector<std::shared_ptr<Sentinel>> sentinels,
                        std::string service,
                        Run run) {
  const Deadline deadline = Deadline::after(now(), SentinelServers::kPollBudget);
  auto poll = std::make_shared<Poll>(loop, sentinels.size());
  for (const auto& sentinel : sentinels) {
    sentinel->is_heard = false;
    if (!sentinel->is_late) ++poll->awaited;
  }
  for (const auto& sentinel : sentinels) {
    const bool is_awaited = !sentinel->is_late;
    boost::asio::co_spawn(loop, ask(sentinel, service, deadline, poll, is_awaited), rethrow);
  }
  const bool has_answers = co_await poll->has_majority.wait(deadline.left(now()));
  if (has_answers) co_await poll->is_complete.wait(SentinelServers::kGrace);
  for (const auto& sentinel : sentinels) sentinel->is_late = !sentinel->is_heard;
  run.complete(newest_master(poll->opinions, poll->configured));
}

}  // namespace

SentinelServers::SentinelServers(Loop& loop,
                                 Resolver& resolver,
                                 const SentinelTarget& target,
                                 const std::shared_ptr<TlsContexts>& contexts)
    : loop_(loop),
      target_(target),
      sentinel_counts_(std::make_shared<ConnectionCounts>()),
      nodes_(loop, resolver, target.master, RedisNodes::Outages::together, contexts),
      in_flight_(loop) {
  for (const RedisTarget& sentinel : target.sentinels) {
    sentinels_.push_back(std::make_shared<Sentinel>());
    sentinels_.back()->client =
        std::make_shared<RedisClient>(loop, resolver, sentinel, contexts, sentinel_counts_);
  }
}

void SentinelServers::close() {
  for (const auto& sentinel : sentinels_) sentinel->client->close();
  nodes_.close();
}

void SentinelServers::check_credentials(SteadyTime now) {
  for (const auto& sentinel : sentinels_) sentinel->client->check_credentials(now);
  nodes_.check_credentials(now);
}

ConnectionCounts SentinelServers::connections() const {
  ConnectionCounts out = nodes_.connections();
  for (const auto& sentinel : sentinels_)
    add(out.refused_credentials, sentinel->client->connections().refused_credentials);
  add_counts(out, *sentinel_counts_);
  return out;
}

awaitable<Result<SentinelMaster>> SentinelServers::find_master(Deadline deadline) {
  // Not an older round, which may have begun before a pause of the process: what was said then is
  // as old as the pause.
  const SteadyTime asked_at = now();
  auto joined =
      in_flight_.join_or_start(target_.service, asked_at, kPollBudget, [&](const auto& round) {
        return asked_at - round.started <= kMaxRoundAge;
      });
  if (joined.is_started) {
    boost::asio::co_spawn(
        loop_,
        ask_all(loop_, sentinels_, target_.service, Flight::Run(joined.in_flight)),
        rethrow);
  }
  const bool is_done = co_await joined.in_flight->wait(deadline, now());
  if (!is_done || deadline.is_past(now()))
    co_return Error{Errc::timed_out, "the Sentinels did not name the master in time", ""};
  if (!joined.in_flight->value())
    co_return Error{Errc::unreachable, "the connection was closed", ""};
  co_return *joined.in_flight->value();
}

awaitable<Result<std::vector<RedisReply>>> SentinelServers::commands(std::string key,
                                                                     std::vector<RedisWords> all,
                                                                     Deadline deadline) {
  const SteadyTime begun = now();
  auto replies = co_await commands_once(key, all, deadline);
  if (!replies || now() - begun <= RedisNodes::kPrompt) co_return replies;
  // A master that was stopped for a while answers with what it had, before it hears that it was
  // replaced meanwhile.
  replies = co_await commands_once(std::move(key), std::move(all), deadline);
  co_return replies;
}

awaitable<Result<std::vector<RedisReply>>>
SentinelServers::commands_once(std::string key, std::vector<RedisWords> all, Deadline deadline) {
  const auto master = co_await find_master(deadline);
  if (!master) co_return master.error();
  // All of them together may have started again, as after SENTINEL RESET; some of them have only
  // not heard of the last failover.
  if (master->epoch < newest_epoch_ && !master->is_of_all) {
    co_return Error{Errc::partial,
                    "the Sentinels that answered have not heard of the last failover",
                    ""};
  }
  newest_epoch_ = master->epoch;
  const RedisNodePtr node = nodes_.at(master->address);
  nodes_.retain(master->address);
  all.insert(all.begin(), {"ROLE"});
  auto replies = co_await node->client->commands(std::move(key), std::move(all), deadline);
  if (!replies) {
    co_return unreachable_node(*node,
                               replies.error(),
                               "the master that the Sentinels name",
                               "replica-announce-ip");
  }
  node->has_answered = true;
  if (auto problem = master_problem(replies->front())) co_return std::move(*problem);
  replies->erase(replies->begin());
  co_return std::move(*replies);
}

}  // namespace weir::scalers::clients
