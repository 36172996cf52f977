// resource.Quantity without its big-number arithmetic: values are doubles within the range of
// int64.
#include "apiservice/encoding/quantity.hpp"

#include "scalers/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace weir::apiservice {
namespace {

// A positive number: digits * 10^exponent.
struct Decimal {
  std::uint64_t digits;
  int exponent;
};

// Digits after the point in scientific notation. With the one before it these are the 15 decimal
// digits that every double preserves; further ones are rounding noise: 0.1 + 0.2 must give `300m`.
constexpr int kFraction = 14;
constexpr int kNano = -9;
constexpr int kMilli = -3;

// One suffix per factor of 1000, from nano. No representable value exceeds P.
constexpr std::array<std::string_view, 9> kSuffixes = {"n", "u", "m", "", "k", "M", "G", "T", "P"};

struct Suffix {
  std::string_view text;
  double factor;
};
constexpr std::array<Suffix, 16> kReadSuffixes{{{"", 1},
                                                {"n", 1e-9},
                                                {"u", 1e-6},
                                                {"m", 1e-3},
                                                {"k", 1e3},
                                                {"M", 1e6},
                                                {"G", 1e9},
                                                {"T", 1e12},
                                                {"P", 1e15},
                                                {"E", 1e18},
                                                {"Ki", 0x1p10},
                                                {"Mi", 0x1p20},
                                                {"Gi", 0x1p30},
                                                {"Ti", 0x1p40},
                                                {"Pi", 0x1p50},
                                                {"Ei", 0x1p60}}};

Decimal fifteen_digits(double magnitude) {
  std::array<char, 32> text{};  // d.dddddddddddddde-ddd
  const std::to_chars_result printed = std::to_chars(text.data(),
                                                     text.data() + text.size(),
                                                     magnitude,
                                                     std::chars_format::scientific,
                                                     kFraction);
  assert(printed.ec == std::errc{});

  Decimal result{.digits = static_cast<std::uint64_t>(text[0] - '0'), .exponent = 0};
  const char* const mark = text.data() + 2 + kFraction;
  for (const char* at = text.data() + 2; at != mark; ++at) {
    result.digits = result.digits * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  const char* const sign = mark + 1;
  std::from_chars(*sign == '+' ? sign + 1 : sign, printed.ptr, result.exponent);
  result.exponent -= kFraction;
  return result;
}

// Rounds a number of fifteen digits to thousandths, and below 1 to three digits but to whole n at
// the finest. Away from zero, as Kubernetes' MilliValue() does, which is all that an HPA looks at:
// steps of a thousandth or finer leave it as it is, and only zero reads as 0.
Decimal readable(Decimal number) {
  const int first_digit = number.exponent + kFraction;
  const int last_digit = first_digit >= 0 ? kMilli : std::max(first_digit - 2, kNano);
  const int finer = last_digit - number.exponent;
  if (finer <= 0) return number;
  if (finer > kFraction) return {.digits = 1, .exponent = kNano};  // all 15 digits are below 1n
  std::uint64_t unit = 1;
  for (int i = 0; i < finer; ++i) unit *= 10;
  return {.digits = (number.digits + unit - 1) / unit, .exponent = last_digit};
}

// The same number with an exponent that has a suffix, the largest that keeps the digits whole.
Decimal canonical(Decimal number) {
  // Twice at most, which 64 bits hold: the digits of a fraction are 15, and a whole number has the
  // exponent 0.
  while (number.exponent % 3 != 0) {
    number.digits *= 10;
    --number.exponent;
  }
  while (number.digits % 1000 == 0) {
    number.digits /= 1000;
    number.exponent += 3;
  }
  return number;
}

void append_decimal(std::string& out, Decimal number) {
  std::array<char, 20> text{};  // the digits of 2^64 - 1
  const std::to_chars_result printed =
      std::to_chars(text.data(), text.data() + text.size(), number.digits);
  out.append(text.data(), printed.ptr);
  out.append(kSuffixes[static_cast<std::size_t>((number.exponent - kNano) / 3)]);
}

}  // namespace

void append_quantity(std::string& out, double value) {
  assert(scalers::is_representable(value));
  if (value == 0) {
    out.push_back('0');
    return;
  }
  if (value < 0) out.push_back('-');
  const double magnitude = std::abs(value);
  const bool is_integral = magnitude == std::trunc(magnitude);
  append_decimal(out,
                 canonical(is_integral ? Decimal{static_cast<std::uint64_t>(magnitude), 0}
                                       : readable(fifteen_digits(magnitude))));
}

std::string quantity(double value) {
  std::string out;
  append_quantity(out, value);
  return out;
}

std::string decimal(double value) {
  constexpr double kMaxExact = 1e15;
  constexpr int kDigits = 6;
  // A queue's length is shown to its last message, and a large fraction as a whole number.
  const double magnitude = std::abs(value);
  const bool is_whole = value == std::trunc(value) || magnitude >= std::pow(10, kDigits);
  if (is_whole && magnitude < kMaxExact) return fmt::format("{:.0f}", value + 0.0);
  return fmt::format("{:.{}g}", value, kDigits);
}

std::optional<double> parse_quantity(std::string_view text) {
  const bool has_plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  if (has_plus) text.remove_prefix(1);
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  // An E without digits stays in `rest`: it is the suffix.
  if (failed != std::errc{}) return std::nullopt;
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  const auto* const known = std::ranges::find(kReadSuffixes, suffix, &Suffix::text);
  if (known == std::end(kReadSuffixes)) return std::nullopt;
  // Checked last: from_chars() reads inf and nan, and the factor may exceed a double.
  number *= known->factor;
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace weir::apiservice
