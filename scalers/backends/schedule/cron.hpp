// Cron expressions of five fields, over the minutes of a wall clock: the time zone is the caller's
// matter. Pure.
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers::backends::schedule {

// A minute as a clock on the wall shows it.
using LocalMinute = std::chrono::local_time<std::chrono::minutes>;
using Weekdays = std::bitset<7>;  // Sunday first

class Cron {
 public:
  struct Invalid {
    std::string why;  // a sentence without a full stop
  };
  // "minute hour day-of-month month day-of-week": *, numbers, names of months and days, ranges,
  // steps and lists; Sunday is 0 and 7. A time at which both days are restricted comes on either.
  [[nodiscard]] static std::variant<Cron, Invalid> parse(std::string_view text);
  // At that time of each of the days.
  [[nodiscard]] static Cron weekly(Weekdays days, std::chrono::minutes time_of_day);

  // The last time that is not after `now`, and the first one after it; nullopt when there is none
  // within eight years.
  [[nodiscard]] std::optional<LocalMinute> last_until(LocalMinute now) const;
  [[nodiscard]] std::optional<LocalMinute> next_after(LocalMinute now) const;
  [[nodiscard]] bool matches(LocalMinute time) const;
  // `other` comes at each time of this one.
  [[nodiscard]] bool comes_only_with(const Cron& other) const;

  friend bool operator==(const Cron&, const Cron&) = default;

 private:
  friend class CronParser;
  Cron() = default;

  [[nodiscard]] bool matches_day(std::chrono::local_days day) const;
  [[nodiscard]] bool matches_day(unsigned month, unsigned day, unsigned weekday) const;
  [[nodiscard]] bool matches_time(std::chrono::minutes time_of_day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;    // of the month, from 1
  std::bitset<13> months_;  // from 1
  Weekdays weekdays_;
  bool has_days_ = false;      // day of month is restricted
  bool has_weekdays_ = false;  // day of week is restricted
};

// The day of "mon" or "Monday", from 0 for Sunday; nullopt for another text.
[[nodiscard]] std::optional<std::size_t> weekday_of(std::string_view name);

}  // namespace weir::scalers::backends::schedule
