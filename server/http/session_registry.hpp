// All open sessions: which connections are taken, which of them give way, and the time limits of
// their phases. Shared by the listener and the sessions. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "server/connections/handshakes.hpp"
#include "server/connections/peer_address.hpp"
#include "server/connections/strangers.hpp"
#include "server/telemetry/telemetry.hpp"

#include <cstddef>
#include <map>
#include <optional>

namespace weir::server {

// What the registry does with a session.
class TrackedSession {
 public:
  TrackedSession() = default;
  TrackedSession(const TrackedSession&) = delete;
  TrackedSession& operator=(const TrackedSession&) = delete;
  virtual ~TrackedSession() = default;

  // Closes if the current phase has exceeded its time limit.
  virtual void expire(SteadyTime now) = 0;
  virtual void close() = 0;
  // It has its turn: see wait_for_turn().
  virtual void begin_handshake() = 0;
  [[nodiscard]] virtual bool is_idle() const = 0;
  // Since when Weir waits for the peer to complete a handshake or a head; nullopt: it does not
  // wait.
  [[nodiscard]] virtual std::optional<SteadyTime> waiting_since() const = 0;
};

// A certified connection has shown a client certificate that a trusted CA signed. The
// kube-apiserver has one, and speaks for every HPA. All others are strangers: anonymous callers,
// callers with a token, and every connection until the end of its handshake.
class SessionRegistry {
 public:
  // `telemetry` outlives the registry.
  explicit SessionRegistry(Telemetry& telemetry) : telemetry_(telemetry) {}

  // So many connections may be open; an eighth of them is the share of strangers.
  void set_pool(std::size_t size);
  // Whether one more connection may be opened now; another one is closed for it if need be. The
  // rules:
  // - With all connections in use, the address with the most strangers loses its oldest one.
  // - Beyond its share it loses those that are older than a second, so that a kube-apiserver can
  //   open many at once, and beyond half of the pool any.
  // - A certified connection is closed only when all are in use, seven eighths by certified ones,
  //   and it has been idle longest, for at least a second.
  [[nodiscard]] bool make_room(SteadyTime now);
  // Closes each session whose current phase has exceeded its time limit, and strangers beyond their
  // share. To be called some times a second.
  void expire(SteadyTime now);

  // From now on no connection is kept alive: each closes after its next response, which has
  // `Connection: close`.
  void end_keep_alive() { is_draining_ = true; }
  // As end_keep_alive(), and idle connections close at once.
  void begin_drain();
  // Closes the remaining sessions.
  void close_all();

  [[nodiscard]] bool is_draining() const { return is_draining_; }
  // Sessions that have not ended, among them those that are closing.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool is_full() const { return open() >= pool_; }
  [[nodiscard]] std::size_t pool() const { return pool_; }
  [[nodiscard]] std::size_t certified() const { return certified_; }
  [[nodiscard]] std::size_t strangers() const { return strangers_.size(); }

  // For a session, which is in the registry from its construction to its destruction.
  [[nodiscard]] ConnectionId enter(TrackedSession* session,
                                   const PeerAddress& address,
                                   SteadyTime now);
  void leave(ConnectionId id);
  // Its begin_handshake() is called when it has its turn, which may be within this call.
  void wait_for_turn(ConnectionId id, SteadyTime now);
  // The handshake is over, or the session does not wait for its turn any more.
  void end_handshake(ConnectionId id, bool is_certified, SteadyTime now);
  // After a change of the trusted CAs, or an expiry.
  void set_certified(ConnectionId id, bool is_certified, SteadyTime now);

 private:
  enum class Standing { stranger, certified, evicted };
  struct Entry {
    TrackedSession* session;  // in the frame of its own coroutine
    PeerAddress address;
    Standing standing = Standing::stranger;
  };

  [[nodiscard]] std::size_t open() const { return certified_ + strangers_.size(); }
  [[nodiscard]] bool is_under_pressure() const;
  void start_handshakes(SteadyTime now);
  void leave_standing(ConnectionId id, const Entry& entry, SteadyTime now);
  void evict(ConnectionId id, Eviction why, SteadyTime now);
  bool evict_stranger(Eviction why, SteadyTime now);
  bool evict_longest_idle(SteadyTime now);

  Telemetry& telemetry_;
  std::map<ConnectionId, Entry> entries_;
  Strangers strangers_;
  Handshakes handshakes_;
  std::size_t certified_ = 0;
  std::size_t pool_ = 0;
  std::size_t share_ = 0;
  ConnectionId last_id_ = 0;
  SteadyTime expired_at_{};      // the last call of expire()
  SteadyTime next_idle_scan_{};  // after one that found none
  bool is_draining_ = false;
};

}  // namespace weir::server
