// No CLUSTER SLOTS: a map of the whole cluster would need a permission and a refresh, and a
// redirect tells as much at the price of one round trip a slot.
#include "scalers/clients/redis/cluster.hpp"

#include "scalers/clients/redis/redirect.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers::clients {

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

awaitable<Result<std::vector<RedisReply>>> ClusterServers::commands(std::string key,
                                                                    std::vector<RedisWords> all,
                                                                    Deadline deadline) {
  const SteadyTime begun = std::chrono::steady_clock::now();
  auto replies = co_await commands_once(key, all, deadline);
  const bool is_prompt = std::chrono::steady_clock::now() - begun <= RedisNodes::kPrompt;
  if (!replies || is_prompt) co_return replies;
  // A node that was stopped for a while answers with what it had, before it hears that its slots
  // have gone to another one meanwhile.
  replies = co_await commands_once(std::move(key), std::move(all), deadline);
  co_return replies;
}

awaitable<Result<std::vector<RedisReply>>>
ClusterServers::commands_once(std::string key, std::vector<RedisWords> all, Deadline deadline) {
  const std::uint16_t slot = slot_of(key);
  std::vector<RedisAddress> untried = candidates(slot);
  RedisAddress address = untried.front();
  bool has_moved = false;
  bool has_asked = false;
  // Ends, because every round takes one of `untried` or sets one of the two.
  while (true) {
    std::erase(untried, address);
    const RedisNodePtr node = nodes_.at(address);
    auto words = has_asked ? with_asking(all) : all;
    auto replies = co_await node->client->commands(key, std::move(words), deadline);
    if (!replies) {
      // The slot may have another node by now: the next query asks others first.
      prefer(address, false);
      if (const auto found = slots_.find(slot); found != slots_.end() && found->second == address)
        slots_.erase(found);
      const Error& error = replies.error();
      if (has_moved || has_asked)
        co_return unreachable_node(*node,
                                   error,
                                   "the node that holds the key",
                                   "cluster-announce-ip");
      if (error.code != Errc::unreachable || untried.empty()) co_return error;
      address = untried.front();
      continue;
    }
    node->has_answered = true;
    prefer(address, true);
    auto redirect = find_redirect(*replies, address);
    if (!redirect) co_return redirect.error();
    if (!*redirect) {
      if (has_asked) co_return without_asking(all, std::move(*replies));
      co_return std::move(*replies);
    }
    const bool is_ask = (*redirect)->is_ask;
    if (has_asked || (!is_ask && has_moved)) {
      slots_.erase(slot);
      co_return Error{Errc::unreachable,
                      "the cluster redirected the query more than once; are its slots being moved?",
                      ""};
    }
    (is_ask ? has_asked : has_moved) = true;
    address = std::move((*redirect)->to);
    if (!is_ask) slots_.insert_or_assign(slot, address);
  }
}

}  // namespace weir::scalers::clients
