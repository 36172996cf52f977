// Apart from the header, because texts are formatted here.
#include "scalers/parts.hpp"

#include "scalers/reading.hpp"

#include <fmt/format.h>

#include <cmath>

namespace weir::scalers {

std::optional<Error> part_out_of_range(const std::vector<double>& parts, std::string_view noun) {
  if (parts.size() < 2) return std::nullopt;
  for (const double part : parts) {
    if (!std::isfinite(part) || is_representable(part)) continue;
    return Error{Errc::out_of_range,
                 fmt::format("one of {} {} is {:g}, beyond 9.2e15, the most an HPA can read; use a "
                             "larger unit",
                             parts.size(),
                             noun,
                             part),
                 ""};
  }
  return std::nullopt;
}

}  // namespace weir::scalers
