// A field becomes a set of bits, so that searching for a time is a walk over days and minutes.
#include "scalers/backends/schedule/cron.hpp"

#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::scalers::backends::schedule {
namespace {

using std::chrono::local_days;
using std::chrono::minutes;

constexpr minutes kDay{24 * 60};
// 29 February comes once in eight years around 2100; a step is a day, or a month without matches.
constexpr int kMaxSteps = 3000;

constexpr std::array<std::string_view, 12>
    kMonthNames{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7>
    kDayNames{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, 7>
    kLongDayNames{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

struct Field {
  std::string_view name;
  unsigned least;
  unsigned most;
  std::span<const std::string_view> names;  // of the numbers from `first_name` on
  unsigned first_name;
  std::string_view range;  // for messages
};
constexpr std::array<Field, 5> kFields{{
    {"minute", 0, 59, {}, 0, "0 to 59"},
    {"hour", 0, 23, {}, 0, "0 to 23"},
    {"day of the month", 1, 31, {}, 0, "1 to 31"},
    {"month", 1, 12, kMonthNames, 1, "1 to 12, or jan to dec"},
    {"day of the week", 0, 7, kDayNames, 0, "0 to 7 (0 and 7 are Sunday), or sun to sat"},
}};
constexpr std::size_t kWeekday = 4;

constexpr std::array<unsigned, 13> kMostDays{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// What is meant by "@daily".
std::string_view fields_of(std::string_view shorthand) {
  const std::string text = lower_case(shorthand);
  if (text == "@hourly") return "\"0 * * * *\"";
  if (text == "@weekly") return "\"0 0 * * 0\"";
  if (text == "@monthly") return "\"0 0 1 * *\"";
  if (text == "@yearly" || text == "@annually") return "\"0 0 1 1 *\"";
  if (text == "@daily" || text == "@midnight") return "\"0 0 * * *\"";
  return "its fields, such as \"0 0 * * *\" for @daily";
}

std::optional<unsigned> number_in(std::string_view text) {
  unsigned out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool is_whole = failed == std::errc{} && end == text.data() + text.size();
  return is_whole ? std::optional(out) : std::nullopt;
}

// The values of one field, by bits.
struct Values {
  std::uint64_t bits = 0;
  bool is_any = false;  // an asterisk without a step is among them
};

}  // namespace

class CronParser {
 public:
  explicit CronParser(std::string_view text) : text_(text) {}

  [[nodiscard]] std::variant<Cron, Cron::Invalid> parse() {
    if (text_.starts_with('@')) {
      return Cron::Invalid{fmt::format("\"{}\" is not a cron expression of five fields; write {}",
                                       text_,
                                       fields_of(text_))};
    }
    std::vector<std::string_view> parts = split(text_, " \t");
    std::erase_if(parts, [](std::string_view part) { return part.empty(); });
    if (parts.size() != kFields.size()) {
      return Cron::Invalid{
          fmt::format("\"{}\" has {} field{}; a cron expression has 5: minute, hour, day of the "
                      "month, month and day of the week, such as \"0 8 * * 1-5\"",
                      text_,
                      parts.size(),
                      parts.size() == 1 ? "" : "s")};
    }
    std::array<Values, kFields.size()> values;
    for (std::size_t i = 0; i < parts.size() && why_.empty(); ++i)
      values[i] = field(parts[i], kFields[i]);
    Cron out;
    out.minutes_ = values[0].bits;
    out.hours_ = values[1].bits;
    out.days_ = values[2].bits;
    out.months_ = values[3].bits;
    // Sunday is 7, too.
    out.weekdays_ = values[kWeekday].bits | values[kWeekday].bits >> 7;
    out.has_days_ = !values[2].is_any;
    out.has_weekdays_ = !values[kWeekday].is_any;
    if (why_.empty()) check_days(out);
    if (!why_.empty()) return Cron::Invalid{why_};
    return out;
  }

 private:
  [[nodiscard]] Values field(std::string_view text, const Field& of) {
    Values out;
    for (const std::string_view item : split(text, ",")) add_item(item, of, out);
    return out;
  }

  void add_item(std::string_view item, const Field& of, Values& out) {
    const std::size_t slash = item.find('/');
    const std::string_view range = item.substr(0, slash);
    unsigned step = 1;
    if (slash != item.npos) {
      const auto number = number_in(item.substr(slash + 1));
      if (!number || *number == 0 || *number > of.most) {
        return reject(item, of, fmt::format("write a step of 1 to {}", of.most));
      }
      step = *number;
    }
    unsigned first = of.least;
    // An asterisk has no 7: the step would begin at Sunday again.
    unsigned last = &of == &kFields[kWeekday] ? 6 : of.most;
    if (range == "*" || range == "?") {
      out.is_any = out.is_any || step == 1;
    } else if (!read_range(range, of, slash != item.npos, first, last)) {
      return reject(item, of, fmt::format("write {}", of.range));
    } else if (first > last) {
      return reject(item,
                    of,
                    "write the smaller number of a range first, or two ranges and a comma");
    }
    for (unsigned value = first; value <= last; value += step)
      out.bits |= std::uint64_t{1} << value;
  }

  // "5", "5-9", "mon-fri"; with a step "5" means 5 to the largest.
  [[nodiscard]] static bool read_range(std::string_view text,
                                       const Field& of,
                                       bool has_step,
                                       unsigned& first,
                                       unsigned& last) {
    const std::size_t dash = text.find('-');
    const auto from = value_of(text.substr(0, dash), of);
    if (!from) return false;
    first = *from;
    if (dash == text.npos) {
      last = has_step ? std::max(first, last) : first;
      return true;
    }
    const auto to = value_of(text.substr(dash + 1), of);
    if (!to) return false;
    last = *to;
    // "fri-sun" ends with a Sunday.
    if (&of == &kFields[kWeekday] && last == 0 && first > 0) last = 7;
    return true;
  }

  [[nodiscard]] static std::optional<unsigned> value_of(std::string_view text, const Field& of) {
    const auto number = number_in(text);
    if (number) {
      return *number >= of.least && *number <= of.most ? number : std::nullopt;
    }
    const std::string name = lower_case(text);
    const auto found = std::ranges::find(of.names, name);
    if (found == of.names.end()) return std::nullopt;
    return of.first_name + static_cast<unsigned>(found - of.names.begin());
  }

  void reject(std::string_view item, const Field& of, const std::string& rule) {
    if (!why_.empty()) return;
    why_ = fmt::format("\"{}\" is not a valid {} in \"{}\": {}", item, of.name, text_, rule);
  }

  // "0 0 31 2 *" is no mistake of one field.
  void check_days(const Cron& cron) {
    if (!cron.has_days_ || cron.has_weekdays_) return;
    for (unsigned month = 1; month < kMostDays.size(); ++month) {
      if (!cron.months_.test(month)) continue;
      for (unsigned day = 1; day <= kMostDays[month]; ++day) {
        if (cron.days_.test(day)) return;
      }
    }
    why_ = fmt::format("\"{}\" never comes, because its months have no such day", text_);
  }

  std::string_view text_;
  std::string why_;
};

std::variant<Cron, Cron::Invalid> Cron::parse(std::string_view text) {
  return CronParser(text).parse();
}

Cron Cron::weekly(Weekdays days, minutes time_of_day) {
  Cron out;
  out.minutes_.set(static_cast<std::size_t>(time_of_day.count() % 60));
  out.hours_.set(static_cast<std::size_t>(time_of_day.count() / 60));
  out.days_.set();
  out.days_.reset(0);
  out.months_.set();
  out.months_.reset(0);
  out.weekdays_ = days;
  out.has_weekdays_ = !days.all();
  return out;
}

bool Cron::matches_day(local_days day) const {
  const std::chrono::year_month_day date{day};
  return matches_day(static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     std::chrono::weekday{day}.c_encoding());
}

bool Cron::matches_day(unsigned month, unsigned day, unsigned weekday) const {
  if (!months_.test(month)) return false;
  const bool is_day = days_.test(day);
  const bool is_weekday = weekdays_.test(weekday);
  return has_days_ && has_weekdays_ ? is_day || is_weekday : is_day && is_weekday;
}

bool Cron::matches_time(minutes time_of_day) const {
  const auto of_day = static_cast<std::size_t>(time_of_day.count());
  return hours_.test(of_day / 60) && minutes_.test(of_day % 60);
}

bool Cron::matches(LocalMinute time) const {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return matches_day(day) && matches_time(time - day);
}

bool Cron::comes_only_with(const Cron& other) const {
  if ((minutes_ & ~other.minutes_).any() || (hours_ & ~other.hours_).any()) return false;
  // In the course of years each date has each weekday.
  for (unsigned month = 1; month < kMostDays.size(); ++month) {
    for (unsigned day = 1; day <= kMostDays[month]; ++day) {
      for (unsigned weekday = 0; weekday < weekdays_.size(); ++weekday) {
        if (matches_day(month, day, weekday) && !other.matches_day(month, day, weekday))
          return false;
      }
    }
  }
  return true;
}

std::optional<LocalMinute> Cron::last_until(LocalMinute now) const {
  auto day = std::chrono::floor<std::chrono::days>(now);
  minutes latest = now - day;
  for (int step = 0; step < kMaxSteps; ++step) {
    const std::chrono::year_month_day date{day};
    if (!months_.test(static_cast<unsigned>(date.month()))) {
      day = local_days{date.year() / date.month() / 1} - std::chrono::days{1};
    } else {
      const minutes end = matches_day(day) ? minutes{-1} : latest;
      for (minutes at = latest; at > end; --at) {
        if (matches_time(at)) return day + at;
      }
      day -= std::chrono::days{1};
    }
    latest = kDay - minutes{1};
  }
  return std::nullopt;
}

std::optional<LocalMinute> Cron::next_after(LocalMinute now) const {
  const LocalMinute start = now + minutes{1};
  auto day = std::chrono::floor<std::chrono::days>(start);
  minutes earliest = start - day;
  for (int step = 0; step < kMaxSteps; ++step) {
    const std::chrono::year_month_day date{day};
    if (!months_.test(static_cast<unsigned>(date.month()))) {
      day = local_days{(date.year() / date.month() + std::chrono::months{1}) / 1};
    } else {
      const minutes end = matches_day(day) ? kDay : earliest;
      for (minutes at = earliest; at < end; ++at) {
        if (matches_time(at)) return day + at;
      }
      day += std::chrono::days{1};
    }
    earliest = minutes{0};
  }
  return std::nullopt;
}

std::optional<std::size_t> weekday_of(std::string_view name) {
  const std::string text = lower_case(name);
  for (std::size_t day = 0; day < kDayNames.size(); ++day) {
    if (text == kDayNames[day] || text == kLongDayNames[day]) return day;
  }
  return std::nullopt;
}

}  // namespace weir::scalers::backends::schedule
