// Which handshake may run: their number is bounded, addresses take turns, and under pressure each
// address has a rate, and so have all strangers together. A connection that waits for its turn
// costs no memory of TLS. Pure; each call is O(log n) unless it says otherwise.
#pragma once

#include "scalers/deadline.hpp"
#include "server/connections/peer_address.hpp"
#include "server/connections/strangers.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace weir::server {

class Handshakes {
 public:
  // A handshake holds about 60 KB. In a cluster it lasts some milliseconds, so that waiting for a
  // turn is short unless peers let their handshakes hang.
  static constexpr std::size_t kMost = 128;
  // Of an address at once; also what it may begin at once under pressure, and then in each second.
  static constexpr std::size_t kOfAddress = 64;
  // What all addresses without trusted certificates may begin in a second under pressure: a part of
  // one core, however many addresses a flood comes from.
  static constexpr std::size_t kOfStrangers = 256;
  // A handshake that has lasted for less is not evicted.
  static constexpr Duration kGrace{250};

  // The connection waits for its turn from now on. `is_trusted`: other connections of the address
  // have, or had a moment ago, a trusted certificate.
  void add(ConnectionId id, const PeerAddress& address, bool is_trusted);
  // The next connection whose handshake may run, which begins now. Of the addresses that may have a
  // turn, trusted ones are first, then those with the fewest running handshakes, then the one whose
  // last turn is longest ago. nullopt: none may, or none waits.
  [[nodiscard]] std::optional<ConnectionId> begin_next(SteadyTime now, bool is_under_pressure);
  // The handshake that has to end so that the next in turn may run: the oldest of the address with
  // the most. nullopt: there is room, none waits, none has more than the next would have, or it is
  // trusted and the next is not.
  [[nodiscard]] std::optional<ConnectionId> next_to_evict(SteadyTime now) const;
  // The connection neither waits nor is in its handshake. One with a trusted certificate does not
  // count in the rates.
  void end(ConnectionId id, const PeerAddress& address, bool is_certified);
  // To be called some times a second: addresses over their rate may have a turn again. Visits every
  // address.
  void tick(SteadyTime now);

  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Address {
    std::map<ConnectionId, SteadyTime> running;
    std::set<ConnectionId> waiting;
    double tokens = kOfAddress;  // handshakes that may begin under pressure
    SteadyTime counted_at{};     // when `tokens` was right
    SteadyTime last_turn{};      // when one of its handshakes began last
    bool is_trusted = false;
    bool is_over_rate = false;  // out of turn until a tick
  };
  using Addresses = std::map<PeerAddress, Address>;
  struct Turn {
    bool is_stranger;
    std::size_t running;
    SteadyTime last_turn;
    ConnectionId oldest;  // of those that wait
    PeerAddress address;
    friend auto operator<=>(const Turn&, const Turn&) = default;
  };
  struct Load {
    std::size_t running;
    ConnectionId youth;  // the complement of the oldest one's number: the greatest is the oldest
    PeerAddress address;
    friend auto operator<=>(const Load&, const Load&) = default;
  };

  static void refill(Address& entry, SteadyTime now);
  void refill_strangers(SteadyTime now);
  [[nodiscard]] static Turn turn_of(const Addresses::value_type& entry);
  template <class Change>
  void change(const PeerAddress& address, Change apply);
  // Without and with an address in the orders below, to change what they are sorted by.
  void leave_order(const Addresses::value_type& entry);
  void enter_order(const Addresses::value_type& entry);

  Addresses addresses_;
  std::set<Turn> turns_;       // of the addresses that wait and are within their limits
  std::set<Load> by_running_;  // of the addresses with running handshakes, the oldest last
  double strangers_tokens_ = kOfStrangers;
  SteadyTime strangers_counted_at_{};
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace weir::server
