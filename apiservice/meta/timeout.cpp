// Go's time.ParseDuration, whose error texts reach clients, apart from the durations of settings.
#include "apiservice/meta/timeout.hpp"

#include "scalers/text/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

constexpr double kMaxNanoseconds = 9223372036854775808.0;  // 2^63, where Go's duration ends

// As Go's time package quotes: bytes other than printable ASCII in hexadecimal.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte >= 0x80) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

// The two spellings of the microsecond have U+00B5 (micro sign) and U+03BC (Greek mu), as in Go.
double nanoseconds_of(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{{{"ns", 1},
                                                                       {"us", 1e3},
                                                                       {"\xc2\xb5s", 1e3},
                                                                       {"\xce\xbcs", 1e3},
                                                                       {"ms", 1e6},
                                                                       {"s", 1e9},
                                                                       {"m", 60e9},
                                                                       {"h", 3600e9}}};
  const auto* const row =
      std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
  return row == kUnits.end() ? 0 : row->second;
}

// Go's time.ParseDuration in nanoseconds, or its error.
scalers::Result<double> parse_duration(const std::string& whole) {
  const auto invalid = [&whole](const std::string& why) {
    return scalers::Error{
        scalers::Errc::bad_request,
        fmt::format("invalid timeout specified in the request URL - time: {} duration {}",
                    why,
                    quoted(whole)),
        ""};
  };
  std::string_view text = whole;
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  // The only number that needs no unit.
  if (text == "0") return 0;
  if (text.empty()) return invalid("invalid");
  double sum = 0;
  while (!text.empty()) {
    const auto number = scalers::take_number(text);
    if (!number) return invalid("invalid");
    const std::string_view unit = scalers::take_unit(text);
    if (unit.empty()) return invalid("missing unit in");
    const double nanoseconds = nanoseconds_of(unit);
    if (nanoseconds == 0) return invalid(fmt::format("unknown unit {} in", quoted(unit)));
    sum += *number * nanoseconds;
    // Negated, so that NaN would not pass.
    if (!(sum < kMaxNanoseconds)) return invalid("invalid");
  }
  return is_negative ? -sum : sum;
}

}  // namespace

scalers::Result<std::optional<Duration>> timeout_of(const Request& request,
                                                    const RequestInfo& info) {
  const std::string text(request.parameter("timeout"));
  // Kubernetes exempts watches from the timeout of a request.
  if (text.empty() || info.verb == "watch") return std::optional<Duration>();
  const auto nanoseconds = parse_duration(text);
  if (!nanoseconds) return nanoseconds.error();
  // As in Kubernetes, where 0s means that the caller sets no limit.
  if (*nanoseconds <= 0) return std::optional<Duration>();
  return std::optional(Duration(static_cast<Duration::rep>(*nanoseconds / 1e6)));
}

}  // namespace weir::apiservice
