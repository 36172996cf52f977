// An address loses its own connections: the order is by how many an address has, then by age.
#include "server/connections/strangers.hpp"

#include <algorithm>
#include <chrono>

namespace weir::server {
namespace {

// A kube-apiserver that was away comes back to its address.
constexpr auto kCertifiedSpan = std::chrono::minutes{10};

}  // namespace

void Strangers::add(ConnectionId id, const PeerAddress& address, SteadyTime now) {
  change(address, [&](Address& entry) { entry.strangers.emplace(id, now); });
  ++size_;
}

void Strangers::remove(ConnectionId id, const PeerAddress& address) {
  std::size_t removed = 0;
  change(address, [&](Address& entry) { removed = entry.strangers.erase(id); });
  size_ -= removed;
}

void Strangers::certified_began(const PeerAddress& address) {
  change(address, [](Address& entry) { ++entry.certified; });
}

void Strangers::certified_ended(const PeerAddress& address, SteadyTime now) {
  change(address, [&](Address& entry) {
    --entry.certified;
    entry.certified_at = now;
  });
}

bool Strangers::is_trusted(const PeerAddress& address) const {
  const auto at = addresses_.find(address);
  return at != addresses_.end() && at->second.is_trusted();
}

void Strangers::set_allowance(std::size_t count) {
  if (count == allowance_) return;
  allowance_ = count;
  by_weight_.clear();
  for (const auto& entry : addresses_) {
    if (!entry.second.strangers.empty()) by_weight_.insert(weight_of(entry));
  }
}

std::optional<Strangers::Stranger> Strangers::next_to_evict() const {
  if (by_weight_.empty()) return std::nullopt;
  const PeerAddress& address = by_weight_.rbegin()->address;
  const auto& [id, since] = *addresses_.at(address).strangers.begin();
  return Stranger{id, address, since};
}

void Strangers::forget(SteadyTime now) {
  for (auto at = addresses_.begin(); at != addresses_.end();) {
    const auto& [address, entry] = *at++;  // change() may drop the entry
    const bool is_over =
        entry.certified == 0 && entry.certified_at && now - *entry.certified_at > kCertifiedSpan;
    if (is_over) change(PeerAddress(address), [](Address& old) { old.certified_at.reset(); });
  }
}

Strangers::Weight Strangers::weight_of(const Addresses::value_type& entry) const {
  const auto& [address, facts] = entry;
  const std::size_t count = facts.strangers.size();
  return {facts.is_trusted() ? count - std::min(count, allowance_) : count,
          count,
          ~facts.strangers.begin()->first,
          address};
}

template <class Change>
void Strangers::change(const PeerAddress& address, Change apply) {
  const auto at = addresses_.try_emplace(address).first;
  if (!at->second.strangers.empty()) by_weight_.erase(weight_of(*at));
  apply(at->second);
  const Address& entry = at->second;
  if (!entry.strangers.empty()) by_weight_.insert(weight_of(*at));
  if (entry.strangers.empty() && !entry.is_trusted()) addresses_.erase(at);
}

}  // namespace weir::server
