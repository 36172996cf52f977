// No CLUSTER SLOTS: a map of the whole cluster would need a permission and a refresh, and a
// redirect tells as much at the price of one round trip a slot.
#include "scalers/clients/redis/cluster.hpp"

#include "scalers/clients/redis/redirect.hpp"
#include "scalers/clients/redis/slot_owner.hpp"
#include "scalers/signal.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::scalers::clients {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

// A failed or slow reply ends the trust in the node, also for the queries that wait beside this
// one.
awaitable<Result<std::vector<RedisReply>>> query_node(RedisNodePtr node,
                                                      std::string key,
                                                      std::vector<RedisWords> all,
                                                      Deadline deadline) {
  const SteadyTime begun = now();
  auto replies = co_await node->client->commands(std::move(key), std::move(all), deadline);
  if (!replies || now() - begun > RedisNodes::kPrompt) node->trusted_connections = 0;
  co_return replies;
}

// One round of questions about the holder of a slot.
struct OwnerPoll {
  explicit OwnerPoll(Loop& loop) : has_opinion(loop), is_complete(loop) {}

  SlotOpinions opinions;
  std::vector<RedisNodePtr> unheard;
  Signal has_opinion;  // or all have been heard
  Signal is_complete;  // all that are not late have been heard
};

awaitable<void> ask_about_slot(RedisAddress address,
                               RedisNodePtr node,
                               std::string key,
                               std::vector<RedisWords> all,
                               Deadline deadline,
                               std::shared_ptr<OwnerPoll> poll) {
  const auto replies = co_await query_node(node, std::move(key), std::move(all), deadline);
  if (replies) {
    node->has_answered = true;
    add_opinion(poll->opinions, address, *replies);
  }
  std::erase(poll->unheard, node);
  const bool is_known = !poll->opinions.named.empty() || !poll->opinions.claimants.empty();
  if (is_known || poll->unheard.empty()) poll->has_opinion.raise();
  const auto is_late = [](const RedisNodePtr& other) { return other->is_late; };
  node->is_late = false;
  if (std::ranges::all_of(poll->unheard, is_late)) poll->is_complete.raise();
}

bool is_cluster_down(const std::vector<RedisReply>& replies) {
  return std::ranges::any_of(replies, [](const RedisReply& reply) {
    return reply.kind == RedisReply::Kind::error && reply.text.starts_with("CLUSTERDOWN");
  });
}

}  // namespace

std::vector<RedisAddress> ClusterServers::candidates(std::uint16_t slot) const {
  std::vector<RedisAddress> out;
  const auto add = [&](const RedisAddress& address) {
    if (std::ranges::find(out, address) == out.end()) out.push_back(address);
  };
  if (const auto found = slots_.find(slot); found != slots_.end()) add(found->second);
  for (std::size_t i = 0; i < target_.nodes.size(); ++i)
    add(target_.nodes[(preferred_ + i) % target_.nodes.size()]);
  for (const RedisAddress& address : nodes_.addresses()) add(address);
  return out;
}

void ClusterServers::prefer(const RedisAddress& address, bool has_answered) {
  const auto found = std::ranges::find(target_.nodes, address);
  if (found == target_.nodes.end()) return;
  const auto index = static_cast<std::size_t>(found - target_.nodes.begin());
  if (has_answered) {
    preferred_ = index;
  } else if (preferred_ == index) {
    preferred_ = (index + 1) % target_.nodes.size();
  }
}

void ClusterServers::forget(const RedisAddress& address) {
  prefer(address, false);
  std::erase_if(slots_, [&](const auto& entry) { return entry.second == address; });
}

std::vector<RedisAddress> ClusterServers::others_to_ask(const RedisAddress& doubtful,
                                                        std::uint16_t slot) {
  std::vector<RedisAddress> out;
  std::vector<RedisAddress> last;
  for (RedisAddress& address : candidates(slot)) {
    if (address == doubtful) continue;
    const RedisNodePtr node = nodes_.at(address);
    const bool is_prompt = !node->is_late && !node->client->is_breaker_open();
    (is_prompt ? out : last).push_back(std::move(address));
  }
  std::ranges::move(last, std::back_inserter(out));
  if (out.size() > kMaxAsked) out.resize(kMaxAsked);
  return out;
}

awaitable<Result<std::optional<RedisAddress>>> ClusterServers::find_owner(
    RedisAddress doubtful,
    std::string key,
    std::vector<RedisWords> all,
    Deadline deadline) {
  const std::vector<RedisAddress> others = others_to_ask(doubtful, slot_of(key));
  if (others.empty()) co_return std::optional<RedisAddress>();
  auto poll = std::make_shared<OwnerPoll>(loop_);
  for (const RedisAddress& address : others) poll->unheard.push_back(nodes_.at(address));
  for (const RedisAddress& address : others) {
    const RedisNodePtr node = nodes_.at(address);
    boost::asio::co_spawn(loop_, ask_about_slot(address, node, key, all, deadline, poll), rethrow);
  }
  const bool has_opinion = co_await poll->has_opinion.wait(deadline.left(now()));
  if (has_opinion) co_await poll->is_complete.wait(std::min(kGrace, deadline.left(now())));
  for (const RedisNodePtr& node : poll->unheard) node->is_late = true;
  if (!has_opinion || deadline.is_past(now())) {
    co_return Error{Errc::timed_out,
                    "the other nodes of the cluster did not say in time who holds the key",
                    ""};
  }
  co_return slot_owner(poll->opinions);
}

awaitable<Result<bool>> ClusterServers::confirm(Route* route,
                                                std::string key,
                                                std::vector<RedisWords> all,
                                                Deadline deadline) {
  const RedisNodePtr node = nodes_.at(route->address);
  const std::uint64_t opened = node->counts->opened;
  const auto owner = co_await find_owner(route->address, key, std::move(all), deadline);
  if (!owner) co_return owner.error();
  route->is_confirmed = true;
  if (*owner && **owner != route->address) {
    route->address = **owner;
    route->has_moved = true;
    slots_.insert_or_assign(route->slot, route->address);
    co_return false;
  }
  node->trusted_connections = opened;
  if (*owner) co_return true;
  // Nobody else can be asked: the node has time to hear of its successor, and is asked again.
  Signal never(loop_);
  co_await never.wait(std::min(kBusRound, deadline.left(now())));
  co_return false;
}

awaitable<Result<std::vector<RedisReply>>> ClusterServers::commands(std::string key,
                                                                    std::vector<RedisWords> all,
                                                                    Deadline deadline) {
  Route route{.slot = slot_of(key), .untried = {}, .address = {}};
  route.untried = candidates(route.slot);
  route.address = route.untried.front();
  // Ends, because every round takes one of `untried` or sets one of the three of the route.
  while (true) {
    std::erase(route.untried, route.address);
    const RedisNodePtr node = nodes_.at(route.address);
    auto words = route.has_asked ? with_asking(all) : all;
    auto replies = co_await query_node(node, key, std::move(words), deadline);
    if (!replies) {
      // The slots may have another node by now: the next query asks others first.
      forget(route.address);
      const Error& error = replies.error();
      if (route.has_moved || route.has_asked)
        co_return unreachable_node(*node,
                                   error,
                                   "the node that holds the key",
                                   "cluster-announce-ip");
      if (error.code != Errc::unreachable || route.untried.empty()) co_return error;
      route.address = route.untried.front();
      continue;
    }
    node->has_answered = true;
    node->has_served = true;
    prefer(route.address, true);
    auto redirect = find_redirect(*replies, route.address);
    if (!redirect) co_return redirect.error();
    const bool is_moved = *redirect && !(*redirect)->is_ask;
    const bool is_trusted = node->counts->opened <= node->trusted_connections;
    // What ASK leads to has the word of the node that sent it.
    const bool is_certain = is_trusted || is_moved || route.has_asked || route.is_confirmed;
    if (!is_certain && is_about_key(all, key)) {
      const auto is_believed = co_await confirm(&route, key, all, deadline);
      if (!is_believed) co_return is_believed.error();
      if (!*is_believed) continue;
    }
    if (!*redirect) {
      // By its view, which may be that of a minority: the next query asks others first.
      if (is_cluster_down(*replies)) forget(route.address);
      if (route.has_asked) co_return without_asking(all, std::move(*replies));
      co_return std::move(*replies);
    }
    if (route.has_asked || (is_moved && route.has_moved)) {
      slots_.erase(route.slot);
      co_return Error{Errc::unreachable,
                      "the cluster redirected the query more than once; are its slots being moved?",
                      ""};
    }
    (is_moved ? route.has_moved : route.has_asked) = true;
    route.address = std::move((*redirect)->to);
    if (is_moved) slots_.insert_or_assign(route.slot, route.address);
  }
}

}  // namespace weir::scalers::clients
