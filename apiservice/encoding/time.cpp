// Written by hand, because std::format and strftime depend on the locale.
#include "apiservice/encoding/time.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace weir::apiservice {
namespace {

constexpr std::string_view kFormat = "0000-00-00T00:00:00Z";  // 0: a digit

void append_digits(std::string& out, unsigned value, int width) {
  std::array<char, 8> digits{};
  for (int i = width - 1; i >= 0; --i) {
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits.data(), static_cast<std::size_t>(width));
}

bool has_format(std::string_view text) {
  if (text.size() != kFormat.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kFormat[i] == '0' ? !is_digit : text[i] != kFormat[i]) return false;
  }
  return true;
}

unsigned number_of(std::string_view digits) {
  unsigned out = 0;
  for (const char c : digits) out = out * 10 + static_cast<unsigned>(c - '0');
  return out;
}

}  // namespace

void append_rfc3339(std::string& out, WallTime time) {
  // floor(), because a cast would round times before 1970 up.
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  // Positive and of four digits: 64 bits of nanoseconds span the years 1677 to 2262.
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, static_cast<unsigned>(clock.hours().count()), 2);
  out += ':';
  append_digits(out, static_cast<unsigned>(clock.minutes().count()), 2);
  out += ':';
  append_digits(out, static_cast<unsigned>(clock.seconds().count()), 2);
  out += 'Z';
}

std::string rfc3339(WallTime time) {
  std::string out;
  append_rfc3339(out, time);
  return out;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  namespace chrono = std::chrono;
  if (!has_format(text)) return std::nullopt;
  const chrono::year_month_day date{chrono::year(static_cast<int>(number_of(text.substr(0, 4)))),
                                    chrono::month(number_of(text.substr(5, 2))),
                                    chrono::day(number_of(text.substr(8, 2)))};
  const chrono::hours hour(number_of(text.substr(11, 2)));
  const chrono::minutes minute(number_of(text.substr(14, 2)));
  const chrono::seconds second(number_of(text.substr(17, 2)));
  const bool is_clock = hour.count() < 24 && minute.count() < 60 && second.count() <= 60;
  if (!date.ok() || !is_clock) return std::nullopt;  // second 60: a leap second
  const chrono::sys_seconds time = chrono::sys_days(date) + hour + minute + second;
  // Compared in seconds: the conversion of a year such as 9999 to nanoseconds would overflow.
  const bool is_representable = time >= chrono::ceil<chrono::seconds>(WallTime::min()) &&
                                time <= chrono::floor<chrono::seconds>(WallTime::max());
  return is_representable ? std::optional<WallTime>(time) : std::nullopt;
}

}  // namespace weir::apiservice
