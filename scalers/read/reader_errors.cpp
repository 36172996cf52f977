// The words around an error, apart from the read path, because users read them and code does not.
#include "scalers/read/reader_errors.hpp"

#include "scalers/text/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace weir::scalers::read {

Error within_metric(const Metric& metric, std::string_view name_space, const Error& error) {
  // The backend of a metric of a file that is not in use is not known.
  if (metric.backend->name.empty())
    return error.within(fmt::format("metric {}/{}", name_space, metric.name));
  return error.within(fmt::format("metric {}/{}: {} {}",
                                  name_space,
                                  metric.name,
                                  metric.backend->kind,
                                  metric.backend->name));
}

Error not_a_namespace(const Metric& metric, std::string_view name_space) {
  return {Errc::bad_request,
          fmt::format("metric {}/{}: this is not the name of a namespace (1 to 63 lower-case "
                      "letters, digits and -), and the request to the backend has it as a "
                      "parameter or header",
                      name_space,
                      metric.name),
          ""};
}

Error with_cause(Error error, std::string_view cause) {
  if (cause.empty()) return error;
  // The remote's words are in message(); in their own field they would follow the cause once more.
  return {error.code, fmt::format("{}; diagnosis: {}", error.message(), cause), ""};
}

Error with_budget(Error error, Duration budget) {
  if (error.code != Errc::timed_out) return error;
  error.detail =
      fmt::format("no response within {} ms ({}); raise deadline, at most 30s, or query for less",
                  budget.count(),
                  error.detail);
  return error;
}

Error internal_error(std::string_view what) {
  // The text of an exception may hold what a remote sent, so it is redacted like a remote's.
  return {Errc::bad_reply, "an internal error; please report it", remote_text(what, {})};
}

std::optional<Error> sum_error(std::span<const Reading> readings) {
  double sum = 0;
  for (const Reading& reading : readings) sum += reading.value;
  if (is_representable(sum)) return std::nullopt;
  return Error{Errc::out_of_range,
               fmt::format("the {} values add up to {:g}, beyond 9.2e15, the most an HPA can read; "
                           "use a larger unit",
                           readings.size(),
                           sum),
               ""};
}

std::string listed_metrics(std::span<const std::string_view> names) {
  constexpr std::size_t kMaxListed = 8;
  if (names.empty()) return "; no metric is configured for this namespace";
  const auto shown = names.first(std::min(names.size(), kMaxListed));
  return fmt::format("; this namespace has {}{}",
                     fmt::join(shown, ", "),
                     names.size() > kMaxListed ? ", ..." : "");
}

}  // namespace weir::scalers::read
