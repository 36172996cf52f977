// Decides by certificate and address which connection gives way. Closing a session is not its end:
// its pending operation fails, and its coroutine ends on its own.
#include "server/http/session_registry.hpp"

#include "server/logging/log.hpp"

#include <algorithm>
#include <chrono>

namespace weir::server {
namespace {

constexpr std::size_t kShareOfStrangers = 8;  // an eighth of the pool
// A stranger that is younger, or a certified session that has been idle for less, is evicted only
// when there is no other way.
constexpr Duration kEvictionGrace{1'000};
// A scan for the longest idle session visits all of them, so that one that found none is not
// repeated for each connection of a flood.
constexpr Duration kIdleScanPause{100};

}  // namespace

void SessionRegistry::set_pool(std::size_t size) {
  pool_ = size;
  share_ = std::max<std::size_t>(1, size / kShareOfStrangers);
  strangers_.set_allowance(share_ / 2);
}

bool SessionRegistry::make_room(SteadyTime now) {
  if (open() < pool_) {
    const bool is_flood = strangers_.size() >= std::max(share_, pool_ / 2);
    if (is_flood) evict_stranger(Eviction::share, now);
    return true;
  }
  // What certified connections take beyond their part is lent.
  const bool is_lent = certified_ > pool_ - share_;
  if (is_lent && evict_longest_idle(now)) return true;
  return evict_stranger(Eviction::pool, now);
}

void SessionRegistry::expire(SteadyTime now) {
  expired_at_ = now;
  for (auto& [id, entry] : entries_) entry.session->expire(now);
  while (strangers_.size() > share_) {
    const auto next = strangers_.next_to_evict();
    if (!next || now - next->since < kEvictionGrace) break;
    evict(next->id, Eviction::share, now);
  }
  // After the pool has become smaller.
  while (open() > pool_) {
    if (!evict_stranger(Eviction::pool, now) && !evict_longest_idle(now)) break;
  }
  strangers_.forget(now);
  handshakes_.tick(now);
  start_handshakes(now);
}

void SessionRegistry::begin_drain() {
  is_draining_ = true;
  for (auto& [id, entry] : entries_) {
    if (entry.session->is_idle()) entry.session->close();
  }
}

void SessionRegistry::close_all() {
  for (auto& [id, entry] : entries_) entry.session->close();
}

ConnectionId SessionRegistry::enter(TrackedSession* session,
                                    const PeerAddress& address,
                                    SteadyTime now) {
  const ConnectionId id = ++last_id_;
  entries_.emplace(id, Entry{session, address});
  strangers_.add(id, address, now);
  return id;
}

// Without the time and without a turn for others: the loop destroys sessions after the clock.
void SessionRegistry::leave(ConnectionId id) {
  const Entry& entry = entries_.at(id);
  leave_standing(id, entry, expired_at_);
  handshakes_.end(id, entry.address, false);
  entries_.erase(id);
}

void SessionRegistry::wait_for_turn(ConnectionId id, SteadyTime now) {
  const Entry& entry = entries_.at(id);
  if (entry.standing == Standing::evicted) return;  // it is closing
  handshakes_.add(id, entry.address, strangers_.is_trusted(entry.address));
  start_handshakes(now);
}

void SessionRegistry::end_handshake(ConnectionId id, bool is_certified, SteadyTime now) {
  handshakes_.end(id, entries_.at(id).address, is_certified);
  set_certified(id, is_certified, now);
  start_handshakes(now);
}

void SessionRegistry::set_certified(ConnectionId id, bool is_certified, SteadyTime now) {
  const Standing standing = is_certified ? Standing::certified : Standing::stranger;
  Entry& entry = entries_.at(id);
  if (entry.standing == standing || entry.standing == Standing::evicted) return;
  leave_standing(id, entry, now);
  entry.standing = standing;
  if (is_certified) {
    strangers_.certified_began(entry.address);
    ++certified_;
  } else {
    strangers_.add(id, entry.address, now);
  }
}

void SessionRegistry::leave_standing(ConnectionId id, const Entry& entry, SteadyTime now) {
  switch (entry.standing) {
    case Standing::evicted: break;
    case Standing::stranger: strangers_.remove(id, entry.address); break;
    case Standing::certified:
      strangers_.certified_ended(entry.address, now);
      --certified_;
      break;
  }
}

bool SessionRegistry::is_under_pressure() const {
  return strangers_.size() > share_ / 2 || handshakes_.running() > Handshakes::kMost / 2;
}

void SessionRegistry::start_handshakes(SteadyTime now) {
  while (true) {
    const auto next = handshakes_.begin_next(now, is_under_pressure());
    if (next) {
      entries_.at(*next).session->begin_handshake();
      continue;
    }
    const auto hanging = handshakes_.next_to_evict(now);
    if (!hanging) return;
    evict(*hanging, Eviction::handshake, now);
  }
}

void SessionRegistry::evict(ConnectionId id, Eviction why, SteadyTime now) {
  Entry& entry = entries_.at(id);
  // It does not count any more, although its coroutine ends a little later.
  leave_standing(id, entry, now);
  handshakes_.end(id, entry.address, false);
  entry.standing = Standing::evicted;
  telemetry_.connection_evicted(why);
  log_rate_limited(Level::warn,
                   "connection_evicted",
                   {{"address", entry.address.text()}, {"reason", name_of(why)}});
  entry.session->close();
}

bool SessionRegistry::evict_stranger(Eviction why, SteadyTime now) {
  const auto next = strangers_.next_to_evict();
  if (next) evict(next->id, why, now);
  return next.has_value();
}

bool SessionRegistry::evict_longest_idle(SteadyTime now) {
  if (now < next_idle_scan_) return false;
  std::optional<ConnectionId> longest;
  SteadyTime since = now - kEvictionGrace;
  for (const auto& [id, entry] : entries_) {
    const auto waiting = entry.session->waiting_since();
    const bool is_candidate = entry.standing == Standing::certified && waiting;
    if (!is_candidate || *waiting > since) continue;
    longest = id;
    since = *waiting;
  }
  if (longest) {
    evict(*longest, Eviction::idle, now);
  } else {
    next_idle_scan_ = now + kIdleScanPause;
  }
  return longest.has_value();
}

}  // namespace weir::server
