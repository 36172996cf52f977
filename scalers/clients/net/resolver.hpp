// DNS lookups for every client: getaddrinfo on a few threads of its own, one lookup in flight per
// host, addresses cached for at most 30 s and failures for 1 s. The interface is for the loop's
// thread alone; the threads touch only the shared state. A lookup that a silent name server delays
// does not delay other hosts, up to the number of threads. Who asks every address of a name, and
// not one of them, asks the name servers again each second.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/single_flight.hpp"
#include "scalers/task.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::clients {

// Numeric addresses ("10.1.2.3", "fd00::1") in the resolver's order of preference; never empty.
using Addresses = std::vector<std::string>;

// Which of a name's addresses. A dual-stack pod has one of each family: who asks every address must
// ask those of one family, or the pod counts twice.
enum class Family { all, ipv4, ipv6, ipv4_or_else_ipv6 };

class Resolver {
 public:
  explicit Resolver(Loop& loop);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // The addresses of `host`; a numeric host is its own address, without a lookup.
  // Errc::unreachable when the name does not exist or the lookup fails, Errc::timed_out at the
  // deadline.
  [[nodiscard]] awaitable<Result<Addresses>> resolve(std::string host, Deadline deadline);
  // The same as of now: the outcome of a lookup that ended at most a second ago, or of a new one.
  // With ipv4_or_else_ipv6, IPv6 addresses only where the name has no IPv4 address; a lookup of
  // IPv4 that fails is a failure, because it may have had some.
  [[nodiscard]] awaitable<Result<Addresses>> look_up(std::string host,
                                                     Family family,
                                                     Deadline deadline);
  // Ends every wait with Errc::unreachable. Lookups in flight end later, without effect.
  void close();

 private:
  struct Cached {
    Result<Addresses> outcome;
    SteadyTime valid_until;
    SteadyTime looked_up;
  };
  struct Name {
    std::string host;
    Family family;
    // Of the cache and of the lookups in flight.
    [[nodiscard]] std::string key() const;
  };
  struct Shared;

  [[nodiscard]] awaitable<Result<Addresses>> find(Name name, SteadyTime oldest, Deadline deadline);
  void start(const Name& name);
  // Caches the outcome before it wakes the waiters: they and later callers see the same.
  void finish(const Name& name, Result<Addresses> outcome);

  Loop& loop_;
  std::shared_ptr<Shared>
      shared_;  // also owned by each lookup thread, which may outlive this object
  std::map<std::string, Cached> cache_;
  SingleFlight<std::string, Result<Addresses>> look_ups_;
};

}  // namespace weir::scalers::clients
