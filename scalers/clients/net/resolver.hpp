// DNS lookups for every client: getaddrinfo on a few threads of its own, one lookup in flight per
// host, addresses cached for at most 30 s and failures for 1 s. The interface is for the loop's
// thread alone; the threads touch only the shared state. A lookup that a silent name server delays
// does not delay other hosts, up to the number of threads.
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
  // Ends every wait with Errc::unreachable. Lookups in flight end later, without effect.
  void close();

 private:
  struct Cached {
    Result<Addresses> outcome;
    SteadyTime valid_until;
  };
  struct Shared;

  void start(const std::string& host);
  // Caches the outcome before it wakes the waiters: they and later callers see the same.
  void finish(const std::string& host, Result<Addresses> outcome);

  Loop& loop_;
  std::shared_ptr<Shared>
      shared_;  // also owned by each lookup thread, which may outlive this object
  std::map<std::string, Cached> cache_;
  SingleFlight<std::string, Result<Addresses>> look_ups_;
};

}  // namespace weir::scalers::clients
