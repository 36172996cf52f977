// How many connections to one server were opened, closed and failed since the program started.
// Counted by the clients, reported by the telemetry of the server room; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers {

// Credentials that the server has refused.
struct RefusedCredentials {
  Error error;
  std::string scope;  // where they were refused (HttpRequest::auth_scope); empty: everywhere
  bool is_older_in_use = false;  // a connection with older credentials is open
  // Of the last attempt beside that connection; nullopt: only queries try the credentials.
  std::optional<SteadyTime> tried_at = {};
};

struct ConnectionCounts {
  // Counts by reason: the name of an Errc, or one of the reasons below.
  using Reasons = std::map<std::string, std::uint64_t, std::less<>>;

  // Evicted for another one, unused for too long, or closed by the server while it was idle.
  static constexpr std::string_view kIdle = "idle";
  // Closed because of a reload or the shutdown, or as the server announced (Connection: close).
  static constexpr std::string_view kClosed = "closed";

  std::uint64_t opened = 0;  // TCP, TLS and login completed
  Reasons closed;            // of the opened ones
  Reasons failed;            // attempts that did not complete
  // A recent failure is returned without connecting, until an attempt succeeds.
  bool is_breaker_open = false;
  bool is_lost = false;  // an open connection was lost, and no other one was opened since
  std::optional<SteadyTime> recovered_at;  // when the first one after such a loss was opened
  std::optional<RefusedCredentials> refused_credentials;  // until others are accepted
  // Until when the last credentials of `auth` are used; nullopt: none, or without an end.
  std::optional<WallTime> token_ends_at;
};

// Adds one to the count of `reason`.
inline void add(ConnectionCounts::Reasons& counts, std::string_view reason) {
  const auto entry = counts.find(reason);
  if (entry != counts.end()) {
    ++entry->second;
  } else {
    counts.emplace(reason, 1);
  }
}

// A part of a client has refused credentials: those that were tried last are reported.
inline void add(std::optional<RefusedCredentials>& all, std::optional<RefusedCredentials> part) {
  if (part && (!all || all->tried_at <= part->tried_at)) all = std::move(part);
}

// A connection was opened.
inline void note_opened(ConnectionCounts& counts, SteadyTime now) {
  ++counts.opened;
  if (counts.is_lost) counts.recovered_at = now;
  counts.is_lost = false;
}

// An open connection was closed, for `reason`.
inline void note_closed(ConnectionCounts& counts, std::string_view reason) {
  add(counts.closed, reason);
  const bool is_own = reason == ConnectionCounts::kIdle || reason == ConnectionCounts::kClosed;
  counts.is_lost = counts.is_lost || !is_own;
}

}  // namespace weir::scalers
