// What a metric makes of what its backend said: an error unless the configuration says otherwise on
// purpose. Pure.
#pragma once

#include "scalers/backend.hpp"
#include "scalers/error.hpp"
#include "scalers/settings.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace weir::scalers::read {

enum class NegativePolicy { error, zero, allow };

struct Policies {
  ErrorOrNumber empty;  // for Errc::no_value
  ErrorOrNumber nan;    // for NaN; an infinity is an error whatever this says
  NegativePolicy negative = NegativePolicy::error;
};

// True when `asked` is an answer of the backend that this metric turns into a number.
[[nodiscard]] bool is_answer(const Policies& policies, const Result<Sample>& asked);

// The number the HPA gets. Errc::no_value, not_a_number, negative, out_of_range by the policies;
// other errors pass.
[[nodiscard]] Result<double> apply(const Policies& policies, const Result<Sample>& asked);

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
