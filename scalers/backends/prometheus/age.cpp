// The age of the data that a query is computed from: its query, and the limit.
#include "scalers/backends/prometheus/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir::scalers::backends::prometheus {
namespace {

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

std::string age_query(std::string_view selector) {
  return fmt::format("time() - max(timestamp({}))", selector);
}

Result<DataAge> check_age(const Result<Sample>& reply, Duration limit) {
  if (reply.has_error() && reply.error().code == Errc::no_value) {
    // stale and not no_value, because `empty: 0` must not make a 0 of a target that is not scraped.
    return Error{Errc::stale,
                 "ageOf matches no series with a sample within the lookback delta (5 minutes by "
                 "default); is "
                 "the target scraped?",
                 ""};
  }
  if (reply.has_error()) return reply.error().within("ageOf");
  // Down to -1 s, because the clocks of the server and of what it scrapes may differ. NaN fails
  // both comparisons.
  if (!(reply->value >= -1 && reply->value < 1e10)) {
    return Error{Errc::bad_reply,
                 fmt::format("the newest sample of ageOf is {:g} s old, which is not a valid age",
                             reply->value),
                 ""};
  }
  const Duration age{std::max(0LL, std::llround(reply->value * 1000))};
  if (age <= limit) return DataAge{age, limit};
  return Error{Errc::stale,
               fmt::format("the newest sample of ageOf is {:.4g} s old, and maxAge is {:.4g} s; is "
                           "the target still scraped?",
                           seconds(age),
                           seconds(limit)),
               ""};
}

}  // namespace weir::scalers::backends::prometheus
