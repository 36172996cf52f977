// The settings by which a metric turns what its backend measured into what an HPA gets: an error
// unless the configuration says otherwise. Plain values; read/verdict and read/fallback apply them.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/settings/value_readers.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::scalers::read {

enum class NegativePolicy { error, zero, allow };

// The least and the most that is reported; nullopt: no such bound.
struct Clamp {
  std::optional<double> min;
  std::optional<double> max;
};

// What is reported in place of an error. Both times count from the last good value of the query;
// without any, `after` counts from its first failure. One of `hold` and `value` is set.
struct Fallback {
  Duration after{0};
  std::optional<Duration> hold = {};  // report the last good value until it is this old
  std::optional<double> value = {};   // report this
};

struct Policies {
  ErrorOrNumber empty = {};  // for Errc::no_value
  ErrorOrNumber nan = {};    // for NaN; an infinity is an error whatever this says
  NegativePolicy negative = NegativePolicy::error;
  Clamp clamp = {};
  std::optional<double> zero_at_or_below = {};
  std::optional<Fallback> fallback = {};
  Duration settle{0};  // how long values are ignored after an outage of the backend
};

// In the order in which they are applied. `missing` and `max_age` are a kind's own settings, which
// its scaler has applied; they are here because they explain a value.
enum class Policy {
  settle,
  missing,
  empty,
  max_age,
  nan,
  negative,
  clamp,
  zero_at_or_below,
  fallback
};
inline constexpr std::size_t kPolicies = static_cast<std::size_t>(Policy::fallback) + 1;

using PolicySet = std::bitset<kPolicies>;

// The policy's key in the configuration.
[[nodiscard]] constexpr std::string_view name_of(Policy policy) {
  switch (policy) {
    case Policy::settle: return "settle";
    case Policy::missing: return "missing";
    case Policy::empty: return "empty";
    case Policy::max_age: return "maxAge";
    case Policy::nan: return "nan";
    case Policy::negative: return "negative";
    case Policy::clamp: return "clamp";
    case Policy::zero_at_or_below: return "zeroAtOrBelow";
    case Policy::fallback: return "fallback";
  }
  return "";
}

}  // namespace weir::scalers::read

namespace weir::scalers {

template <>
struct EnumNames<read::NegativePolicy> {
  static constexpr std::string_view kTypeName = "error | zero | allow";
  static constexpr std::array<std::pair<std::string_view, read::NegativePolicy>, 3> kNames{{
      {"error", read::NegativePolicy::error},
      {"zero", read::NegativePolicy::zero},
      {"allow", read::NegativePolicy::allow},
  }};
};

}  // namespace weir::scalers
