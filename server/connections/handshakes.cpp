// Turns by address: without the time of the last turn, each address of a flood would be as good as
// a kubelet's, which has one every few seconds.
#include "server/connections/handshakes.hpp"

#include <algorithm>
#include <chrono>

namespace weir::server {

void Handshakes::add(ConnectionId id, const PeerAddress& address, bool is_trusted) {
  change(address, [&](Address& entry) {
    entry.waiting.insert(id);
    entry.is_trusted = is_trusted;
  });
  ++waiting_;
}

std::optional<ConnectionId> Handshakes::begin_next(SteadyTime now, bool is_under_pressure) {
  refill_strangers(now);
  while (!turns_.empty() && running_ < kMost) {
    const bool is_stranger = turns_.begin()->is_stranger;
    // All that follow are strangers, too.
    if (is_under_pressure && is_stranger && strangers_tokens_ < 1) return std::nullopt;
    const PeerAddress address = turns_.begin()->address;
    std::optional<ConnectionId> begun;
    change(address, [&](Address& entry) {
      refill(entry, now);
      // The next tick takes it back: an address over its rate must not cost each call a visit.
      entry.is_over_rate = is_under_pressure && entry.tokens < 1;
      if (entry.is_over_rate) return;
      entry.tokens = std::max(0.0, entry.tokens - 1);
      begun = *entry.waiting.begin();
      entry.waiting.erase(entry.waiting.begin());
      entry.running.emplace(*begun, now);
      entry.last_turn = now;
    });
    if (!begun) continue;
    if (is_stranger) strangers_tokens_ = std::max(0.0, strangers_tokens_ - 1);
    --waiting_;
    ++running_;
    return begun;
  }
  return std::nullopt;
}

std::optional<ConnectionId> Handshakes::next_to_evict(SteadyTime now) const {
  if (running_ < kMost || turns_.empty() || by_running_.empty()) return std::nullopt;
  const Load& most = *by_running_.rbegin();
  // A stranger does not take the place of a kube-apiserver.
  if (turns_.begin()->is_stranger && addresses_.at(most.address).is_trusted) return std::nullopt;
  // Without the difference two addresses would evict each other's in turn.
  if (most.running <= turns_.begin()->running) return std::nullopt;
  const auto& [id, since] = *addresses_.at(most.address).running.begin();
  return now - since < kGrace ? std::nullopt : std::optional(id);
}

void Handshakes::end(ConnectionId id, const PeerAddress& address, bool is_certified) {
  if (!addresses_.contains(address)) return;
  change(address, [&](Address& entry) {
    waiting_ -= entry.waiting.erase(id);
    const auto ended = entry.running.erase(id);
    running_ -= ended;
    if (ended == 0 || !is_certified) return;
    entry.tokens = std::min<double>(kOfAddress, entry.tokens + 1);
    entry.is_over_rate = false;
    if (!entry.is_trusted)
      strangers_tokens_ = std::min<double>(kOfStrangers, strangers_tokens_ + 1);
    entry.is_trusted = true;
  });
}

void Handshakes::tick(SteadyTime now) {
  for (auto at = addresses_.begin(); at != addresses_.end();) {
    const PeerAddress address = (at++)->first;  // change() may drop the entry
    change(address, [&](Address& entry) {
      refill(entry, now);
      entry.is_over_rate = false;
    });
  }
}

void Handshakes::refill(Address& entry, SteadyTime now) {
  const std::chrono::duration<double> passed = now - entry.counted_at;
  entry.tokens = std::min<double>(kOfAddress, entry.tokens + passed.count() * kOfAddress);
  entry.counted_at = now;
}

void Handshakes::refill_strangers(SteadyTime now) {
  const std::chrono::duration<double> passed = now - strangers_counted_at_;
  strangers_tokens_ =
      std::min<double>(kOfStrangers, strangers_tokens_ + passed.count() * kOfStrangers);
  strangers_counted_at_ = now;
}

Handshakes::Turn Handshakes::turn_of(const Addresses::value_type& entry) {
  const auto& [address, facts] = entry;
  return {!facts.is_trusted,
          facts.running.size(),
          facts.last_turn,
          *facts.waiting.begin(),
          address};
}

template <class Change>
void Handshakes::change(const PeerAddress& address, Change apply) {
  const auto at = addresses_.try_emplace(address).first;
  leave_order(*at);
  apply(at->second);
  const Address& entry = at->second;
  // Its tokens are full, as those of an address without an entry are.
  const bool is_fresh =
      entry.running.empty() && entry.waiting.empty() && entry.tokens >= kOfAddress;
  if (is_fresh) {
    addresses_.erase(at);
  } else {
    enter_order(*at);
  }
}

void Handshakes::leave_order(const Addresses::value_type& entry) {
  const auto& [address, facts] = entry;
  const std::size_t running = facts.running.size();
  if (!facts.waiting.empty()) turns_.erase(turn_of(entry));
  if (running > 0) by_running_.erase({running, ~facts.running.begin()->first, address});
}

void Handshakes::enter_order(const Addresses::value_type& entry) {
  const auto& [address, facts] = entry;
  const std::size_t running = facts.running.size();
  const bool has_turn = !facts.waiting.empty() && !facts.is_over_rate && running < kOfAddress;
  if (has_turn) turns_.insert(turn_of(entry));
  if (running > 0) by_running_.insert({running, ~facts.running.begin()->first, address});
}

}  // namespace weir::server
