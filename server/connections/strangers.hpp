// The connections whose peer has shown no trusted certificate, counted by address: which of them
// has to give way. Pure: closing is up to the caller. Each call is O(log n) unless it says
// otherwise.
#pragma once

#include "scalers/deadline.hpp"
#include "server/connections/peer_address.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace weir::server {

// Grows from one connection to the next, so that a lower number is an older connection.
using ConnectionId = std::uint64_t;

class Strangers {
 public:
  void add(ConnectionId id, const PeerAddress& address, SteadyTime now);
  void remove(ConnectionId id, const PeerAddress& address);
  [[nodiscard]] std::size_t size() const { return size_; }

  // A connection with a trusted certificate of this address has begun, or has ended.
  void certified_began(const PeerAddress& address);
  void certified_ended(const PeerAddress& address, SteadyTime now);
  // The address has a connection with a trusted certificate, or had one some minutes ago.
  [[nodiscard]] bool is_trusted(const PeerAddress& address) const;

  // So many strangers of an address with trusted certificates weigh nothing: they are, as a rule,
  // handshakes that are about to show one. Reorders all addresses.
  void set_allowance(std::size_t count);

  struct Stranger {
    ConnectionId id;
    PeerAddress address;
    SteadyTime since;
  };
  // The oldest stranger of the address that weighs most, of several such addresses the oldest of
  // all; nullopt without strangers.
  [[nodiscard]] std::optional<Stranger> next_to_evict() const;

  // Forgets certificates that were seen long ago. Visits every address.
  void forget(SteadyTime now);

 private:
  struct Address {
    std::map<ConnectionId, SteadyTime> strangers;
    std::size_t certified = 0;               // open connections
    std::optional<SteadyTime> certified_at;  // when the last one ended

    [[nodiscard]] bool is_trusted() const { return certified > 0 || certified_at; }
  };
  using Addresses = std::map<PeerAddress, Address>;
  struct Weight {
    std::size_t weight;
    std::size_t count;
    ConnectionId
        youth;  // the complement of the oldest stranger's number: the greatest is the oldest
    PeerAddress address;
    friend auto operator<=>(const Weight&, const Weight&) = default;
  };

  // Of an address with strangers.
  [[nodiscard]] Weight weight_of(const Addresses::value_type& entry) const;
  // Changes an entry, keeps its place in the order right, and drops an empty one.
  template <class Change>
  void change(const PeerAddress& address, Change apply);

  // Ordered, because peers choose their addresses: no choice makes a look-up slow.
  Addresses addresses_;
  std::set<Weight> by_weight_;  // of the addresses with strangers
  std::size_t allowance_ = 0;
  std::size_t size_ = 0;
};

}  // namespace weir::server
