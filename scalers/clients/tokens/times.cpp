// No library: std::chrono::parse() is not in libstdc++ 12, and get_time() depends on the locale.
#include "scalers/clients/tokens/times.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace weir::scalers::clients {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A request takes a moment, and the fields of an error have full seconds.
constexpr seconds kTolerance{60};

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::optional<WallTime> time_of(int year, unsigned month, unsigned day, seconds of_day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(month),
                                         std::chrono::day(day)};
  // A leap second is the first one of the next minute.
  if (!date.ok() || year < 1970 || year > 2200 || of_day > hours(24)) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + of_day;
}

// What time it is for the server that wrote `words`.
std::optional<WallTime> server_time(std::string_view words) {
  // AWS: "Signature expired: 20260131T110000Z is now earlier than 20260131T111500Z
  // (20260131T112000Z - 5 min.)", and "Signature not yet current: ... (... + 5 min.)".
  static constexpr std::string_view kAws = R"(\((\d{8}T\d{6}Z) [-+] \d+ min)";
  // Entra ID, AADSTS700024: "Current time: 2026-01-31T11:20:00.1234567Z, assertion valid from ...".
  static constexpr std::string_view kEntra = R"((?i:current time: ?)([0-9TZ:.+-]+))";
  // STS: "Token expired: current date/time 1769858400 must be before the expiration date/time ...".
  static constexpr std::string_view kSts = R"(current date/time (\d{10}))";
  re2::StringPiece found;
  for (const std::string_view pattern : {kAws, kEntra}) {
    if (RE2::PartialMatch(piece(words), RE2(piece(pattern)), &found))
      return parse_time({found.data(), found.size()});
  }
  std::int64_t epoch = 0;
  if (!RE2::PartialMatch(piece(words), RE2(piece(kSts)), &epoch)) return std::nullopt;
  return WallTime(seconds(epoch));
}

}  // namespace

std::string utc_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     clock.hours().count(),
                     clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<WallTime> parse_time(std::string_view text) {
  static constexpr std::string_view kForm =
      R"((\d{4})-?(\d\d)-?(\d\d)[Tt](\d\d):?(\d\d):?(\d\d)(?:\.\d+)?(?:[Zz]|[+-]00:00))";
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  if (!RE2::FullMatch(piece(text),
                      RE2(piece(kForm)),
                      &year,
                      &month,
                      &day,
                      &hour,
                      &minute,
                      &second)) {
    return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return time_of(year, month, day, hours(hour) + minutes(minute) + seconds(second));
}

std::string rounded(WallTime::duration span) {
  const auto whole = std::chrono::duration_cast<seconds>(span < span.zero() ? -span : span);
  if (whole < minutes(2)) return fmt::format("{} s", whole.count());
  if (whole < hours(2)) return fmt::format("{} min", std::chrono::round<minutes>(whole).count());
  if (whole < hours(72)) return fmt::format("{} h", std::chrono::round<hours>(whole).count());
  return fmt::format("{} days", std::chrono::round<std::chrono::days>(whole).count());
}

std::string clock_problem_of(WallTime::duration ahead, std::string_view whose) {
  if (ahead < kTolerance && ahead > -kTolerance) return {};
  return fmt::format("Weir's clock is {} {} {}; correct the clock of its node",
                     rounded(ahead),
                     ahead > ahead.zero() ? "behind" : "ahead of",
                     whose);
}

std::string clock_problem(std::string_view words, WallTime ours) {
  const auto theirs = server_time(words);
  return theirs ? clock_problem_of(*theirs - ours, "that of the server") : std::string();
}

std::string clock_problem(std::string_view words,
                          const std::optional<WallTime::duration>& ahead,
                          WallTime ours) {
  std::string out = clock_problem(words, ours);
  return out.empty() && ahead ? clock_problem_of(*ahead, "that of the server") : out;
}

}  // namespace weir::scalers::clients
