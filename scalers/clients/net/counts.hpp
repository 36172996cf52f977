// What has become of the connections to one server since the program began to ask it, for
// telemetry. Counted by the clients, shown by the server room; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers {

struct ConnectionCounts {
  // Counts by reason: the name of an Errc, or one of the words below.
  using Reasons = std::map<std::string, std::uint64_t, std::less<>>;

  // Made room for another, was unused for long, or was ended by the server meanwhile.
  static constexpr std::string_view kIdle = "idle";
  // The configuration or the program ended, or the server had said that it closes.
  static constexpr std::string_view kClosed = "closed";

  std::uint64_t opened = 0;  // through TCP, TLS and login
  Reasons closed;            // of those opened
  Reasons failed;            // tries that never came so far
  // A failure of a moment ago stands for tries, until one gets through.
  bool is_breaker_open = false;
  bool is_lost = false;  // one that was up ended by itself, and none came up since
  std::optional<SteadyTime> recovered_at;  // when the first one after such a loss came up
};

// Adds one to the count of `reason`.
inline void add(ConnectionCounts::Reasons& counts, std::string_view reason) {
  const auto known = counts.find(reason);
  if (known != counts.end()) {
    ++known->second;
  } else {
    counts.emplace(reason, 1);
  }
}

// One more connection came up.
inline void note_opened(ConnectionCounts& counts, SteadyTime now) {
  ++counts.opened;
  if (counts.is_lost) counts.recovered_at = now;
  counts.is_lost = false;
}

// One that was up ended, for `reason`.
inline void note_closed(ConnectionCounts& counts, std::string_view reason) {
  add(counts.closed, reason);
  const bool is_own = reason == ConnectionCounts::kIdle || reason == ConnectionCounts::kClosed;
  counts.is_lost = counts.is_lost || !is_own;
}

}  // namespace weir::scalers
