// append_quantity against whole-number arithmetic. The input is a number as text, or the eight
// bytes of a double.
#include "apiservice/encoding/quantity.hpp"

#include "scalers/reading.hpp"
#include "test/fuzz/property.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace weir::fuzz {
namespace {

__extension__ using Wide = __int128;

constexpr std::string_view kSuffixes = "num kMGTP";  // the blank means none
constexpr long double kNanosPerOne = 1e9L;

struct Parsed {
  Wide digits;
  Wide nanos_per_digit;
};

// The magnitude that the text of one without a sign says.
Parsed parsed(std::string_view text) {
  Parsed out{0, 1};
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    out.digits = out.digits * 10 + (text[at] - '0');
  require(at > 0 && at <= 20, "a quantity starts with digits");
  require(text.size() - at <= 1, "a quantity ends with one suffix at most");
  const char suffix = at < text.size() ? text[at] : ' ';
  const auto power = kSuffixes.find(suffix);
  require(power != kSuffixes.npos && (suffix != ' ' || at == text.size()), "the suffix is one");
  for (std::size_t i = 0; i < power; ++i) out.nanos_per_digit *= 1000;
  return out;
}

Wide nanos_of(const std::string& text) {
  const Parsed one = parsed(text);
  require(text == "0" || one.digits % 1000 != 0, "the suffix is the largest that loses nothing");
  require(text == "0" || text.front() != '0', "no zero leads");
  return one.digits * one.nanos_per_digit;
}

bool is_integral(double value) { return value == std::trunc(value); }

double number_of(std::string_view input) {
  double out = 0;
  if (input.size() == sizeof out) {
    std::memcpy(&out, input.data(), sizeof out);
    return out;
  }
  return std::strtod(std::string(input).c_str(), nullptr);
}

}  // namespace

void run(std::string_view input) {
  const double value = std::abs(number_of(input));
  if (!scalers::is_representable(value)) return;

  const std::string text = apiservice::quantity(value);
  const Wide nanos = nanos_of(text);
  require((nanos == 0) == (value == 0), "only zero reads as zero");
  require(apiservice::quantity(-value) == (value == 0 ? text : "-" + text),
          "the sign changes nothing else");
  if (is_integral(value)) {
    require(nanos == static_cast<Wide>(value) * 1'000'000'000, "a whole number is exact");
  } else {
    const long double exact = static_cast<long double>(value) * kNanosPerOne;
    const long double away = static_cast<long double>(nanos) - exact;
    // Its step is a thousandth, or below 1 that of the third digit.
    const long double third = std::pow(10.0L, std::floor(std::log10(exact * (1 + 1e-12L))) - 2);
    const long double step = value >= 1 ? kNanosPerOne / 1000 : std::max(third, 1.0L);
    require(std::abs(away) <= 1.001L * step + 1e-14L * exact, "a fraction is as near as its step");
    require(away >= -1e-14L * exact, "a fraction is rounded away from zero");
  }
  // A fraction has 15 digits and a whole number has all: only within each kind is there an order.
  const double next = std::nextafter(value, scalers::kTooLargeValue);
  if (!scalers::is_representable(next) || is_integral(next) != is_integral(value)) return;
  require(nanos <= nanos_of(apiservice::quantity(next)),
          "the greater number is not the lesser text");
}

}  // namespace weir::fuzz
