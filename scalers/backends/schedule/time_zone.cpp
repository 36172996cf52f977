// By cctz, because the standard library of Debian 12 has no time zones yet.
#include "scalers/backends/schedule/time_zone.hpp"

#include "scalers/text/suggest.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace weir::scalers::backends::schedule {
namespace {

// Every zone and link of the database, one a line: "Z Europe/Berlin ...", "L Europe/Berlin ...".
constexpr const char* kNames = "/usr/share/zoneinfo/tzdata.zi";
constexpr std::size_t kMaxNameBytes = 64;

cctz::time_zone zone_of(const std::string& name) {
  cctz::time_zone out;
  cctz::load_time_zone(name, &out);
  return out;
}

LocalMinute local_of(const cctz::civil_minute& civil) {
  const auto day = std::chrono::year{static_cast<int>(civil.year())} /
                   std::chrono::month{static_cast<unsigned>(civil.month())} /
                   std::chrono::day{static_cast<unsigned>(civil.day())};
  return std::chrono::local_days{day} + std::chrono::hours{civil.hour()} +
         std::chrono::minutes{civil.minute()};
}

cctz::civil_second civil_of(LocalMinute time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss of_day{time - day};
  return cctz::civil_second(static_cast<int>(date.year()),
                            static_cast<int>(static_cast<unsigned>(date.month())),
                            static_cast<int>(static_cast<unsigned>(date.day())),
                            static_cast<int>(of_day.hours().count()),
                            static_cast<int>(of_day.minutes().count()),
                            0);
}

// Also names of files beside the zones: the zone of this machine, and copies that count leap
// seconds.
bool may_be_zone(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOthers{"localtime",
                                                    "posixrules",
                                                    "Factory",
                                                    "leapseconds"};
  const auto is_allowed = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '/' &&
         name.find("//") == name.npos && std::ranges::all_of(name, is_allowed) &&
         !name.starts_with("right/") && !name.starts_with("posix/") &&
         !name.starts_with("Fixed/") && std::ranges::find(kOthers, name) == kOthers.end();
}

// Of "UTC+2", "GMT-3" and "+02:00", the zone "Etc/GMT-2": the names of the database have the sign
// of POSIX, which is negative east of Greenwich. Empty for other texts.
std::string offset_zone(std::string_view text) {
  if (text.starts_with("UTC") || text.starts_with("GMT")) text.remove_prefix(3);
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return "";
  const bool is_ahead = text.front() == '+';
  text.remove_prefix(1);
  if (text.ends_with(":00")) text.remove_suffix(3);
  int hours = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), hours);
  if (failed != std::errc{} || end != text.data() + text.size()) return "";
  if (hours < 1 || hours > (is_ahead ? 14 : 12)) return "";
  return fmt::format("Etc/GMT{}{}", is_ahead ? '-' : '+', hours);
}

}  // namespace

std::optional<TimeZone> TimeZone::find(const std::string& name) {
  cctz::time_zone zone;
  if (!may_be_zone(name) || !cctz::load_time_zone(name, &zone)) return std::nullopt;
  return TimeZone(name);
}

std::string TimeZone::suggestion_for(const std::string& name) {
  const std::string offset = offset_zone(name);
  if (!offset.empty()) {
    return fmt::format(
        "; write {} (the IANA database has the opposite sign), or a place such as "
        "Europe/Berlin, which has daylight saving time",
        offset);
  }
  std::ifstream file(kNames);
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    const bool is_link = line.starts_with("L ");
    if (!is_link && !line.starts_with("Z ")) continue;
    std::size_t begin = 2;
    if (is_link) begin = std::min(line.find(' ', begin), line.size() - 1) + 1;
    names.push_back(line.substr(begin, line.find(' ', begin) - begin));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return did_you_mean(name, views);
}

LocalMinute TimeZone::reached_at(WallTime now) const {
  const cctz::time_zone zone = zone_of(name_);
  const auto at = std::chrono::floor<cctz::seconds>(now);
  cctz::civil_second civil = zone.lookup(at).cs;
  const auto occurrences = zone.lookup(civil);
  const bool is_second =
      occurrences.kind == cctz::time_zone::civil_lookup::REPEATED && at >= occurrences.trans;
  // The first occurrences reached up to the change.
  if (is_second) civil = zone.lookup(occurrences.trans - cctz::seconds{1}).cs;
  return local_of(cctz::civil_minute(civil));
}

WallTime TimeZone::instant_of(LocalMinute time) const {
  return cctz::convert(civil_of(time), zone_of(name_));
}

std::string TimeZone::text_of(WallTime time) const {
  return cctz::format("%a %Y-%m-%d %H:%M %Z", time, zone_of(name_));
}

}  // namespace weir::scalers::backends::schedule
