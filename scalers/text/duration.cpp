// Not std::chrono::parse, because Go's notation has fractions, and several units in one duration.
#include "scalers/text/duration.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>

namespace weir::scalers {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsOrPoint = "0123456789.";
// 10^18 ns: the sum with a time point still fits into 64 bits.
constexpr double kMaxMilliseconds = 1e12;

// The number of digits at the start of `text`.
std::size_t digits_of(std::string_view text) {
  return std::min(text.find_first_not_of(kDigits), text.size());
}

}  // namespace

std::optional<double> take_number(std::string_view& text) {
  std::size_t size = digits_of(text);
  std::size_t digits = size;
  if (size < text.size() && text[size] == '.') {
    const std::size_t fraction = digits_of(text.substr(size + 1));
    digits += fraction;
    size += 1 + fraction;
  }
  if (digits == 0) return std::nullopt;
  // A copy, because strtod() reads up to a NUL, which a view lacks.
  const std::string number(text.substr(0, size));
  text.remove_prefix(size);
  return std::strtod(number.c_str(), nullptr);
}

std::string_view take_unit(std::string_view& text) {
  const std::size_t size = std::min(text.find_first_of(kDigitsOrPoint), text.size());
  const std::string_view unit = text.substr(0, size);
  text.remove_prefix(size);
  return unit;
}

std::optional<Duration> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
      {{"ms", 1.0}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}}};
  double total_ms = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const std::string_view unit = take_unit(text);
    const auto* row = std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
    // An absent unit is an error as well, because 5 could be seconds or milliseconds.
    if (row == kUnits.end()) return std::nullopt;
    total_ms += *number * row->second;
  }
  if (!(total_ms <= kMaxMilliseconds)) return std::nullopt;
  const Duration out{static_cast<Duration::rep>(std::llround(total_ms))};
  // A duration below half a millisecond is rounded to zero.
  return out.count() > 0 ? std::optional(out) : std::nullopt;
}

}  // namespace weir::scalers
