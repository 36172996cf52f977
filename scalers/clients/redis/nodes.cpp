// Kept apart from the topologies, which differ in whom they ask and not in how.
#include "scalers/clients/redis/nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace weir::scalers::clients {

bool is_host(std::string_view host) {
  constexpr std::size_t kMaxName = 253;  // of a DNS name
  const auto is_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".:-_").find(c) != std::string_view::npos;
  };
  return !host.empty() && host.size() <= kMaxName && std::ranges::all_of(host, is_byte);
}

void add_counts(ConnectionCounts& sum, const ConnectionCounts& counts) {
  sum.opened += counts.opened;
  for (const auto& [reason, count] : counts.closed) sum.closed[reason] += count;
  for (const auto& [reason, count] : counts.failed) sum.failed[reason] += count;
}

RedisNodePtr RedisNodes::at(const RedisAddress& address) {
  if (const auto found = nodes_.find(address); found != nodes_.end()) return found->second;
  if (nodes_.size() >= kMaxNodes) retain(address);
  RedisTarget target = common_;
  target.stream.host = address.host;
  target.stream.port = address.port;
  auto node = std::make_shared<RedisNode>();
  const auto counts =
      outages_ == Outages::together ? counts_ : std::make_shared<ConnectionCounts>();
  node->client = std::make_shared<RedisClient>(loop_, resolver_, target, contexts_, counts);
  node->counts = counts;
  if (is_closed_) node->client->close();
  return nodes_.emplace(address, std::move(node)).first->second;
}

void RedisNodes::retain(const RedisAddress& address) {
  std::erase_if(nodes_, [&](const auto& entry) {
    if (entry.first == address) return false;
    entry.second->client->close();
    if (outages_ == Outages::apart) add_counts(*counts_, entry.second->client->connections());
    return true;
  });
}

std::vector<RedisAddress> RedisNodes::addresses() const {
  std::vector<RedisAddress> out;
  for (const auto& [address, node] : nodes_) out.push_back(address);
  return out;
}

void RedisNodes::close() {
  is_closed_ = true;
  for (const auto& [address, node] : nodes_) node->client->close();
}

void RedisNodes::check_credentials(SteadyTime now) {
  for (const auto& [address, node] : nodes_) node->client->check_credentials(now);
}

ConnectionCounts RedisNodes::connections() const {
  ConnectionCounts out = *counts_;
  for (const auto& [address, node] : nodes_)
    add(out.refused_credentials, node->client->connections().refused_credentials);
  if (outages_ == Outages::apart) {
    for (const auto& [address, node] : nodes_) {
      const ConnectionCounts one = node->client->connections();
      add_counts(out, one);
      if (!node->has_served) continue;
      out.is_lost = out.is_lost || one.is_lost;
      out.recovered_at = std::max(out.recovered_at, one.recovered_at);
    }
  }
  out.is_breaker_open = std::ranges::any_of(nodes_, [](const auto& entry) {
    return entry.second->client->is_breaker_open();
  });
  return out;
}

Error unreachable_node(const RedisNode& node,
                       const Error& error,
                       std::string_view who,
                       std::string_view setting) {
  const bool is_about_address = error.code == Errc::unreachable || error.code == Errc::timed_out;
  if (!is_about_address || node.has_answered) return error.within(who);
  Error out = error.within(who);
  out.detail += fmt::format(
      "; if its address is one of another network (NAT, containers), set {} on that server",
      setting);
  return out;
}

}  // namespace weir::scalers::clients
