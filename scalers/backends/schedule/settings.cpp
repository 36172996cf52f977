// Both notations of a window become two cron expressions.
#include "scalers/backends/schedule/settings.hpp"

#include "scalers/reading.hpp"
#include "scalers/text/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::scalers::backends::schedule {
namespace {

using std::chrono::minutes;

constexpr minutes kDay{24 * 60};
constexpr std::string_view kDaysRule =
    "write sun, mon, tue, wed, thu, fri or sat, or a range such as mon-fri";

struct Days {
  static constexpr std::string_view kTypeName = "mon-fri | [mon, wed]";
  Weekdays days;
  std::string text;
};

struct Windows {
  static constexpr std::string_view kTypeName = "list of windows";
  std::vector<Window> list;
};

struct MetricBlock {
  std::string time_zone;
  Windows windows;
  double otherwise = 0;
};

struct WindowBlock {
  std::optional<Days> days;
  std::string from;
  std::string to;
  double value = 0;
};

void add_days(const Node& node, Days& out, Problems& problems) {
  const std::string& text = node.text;
  const std::size_t dash = text.find('-');
  const auto first = weekday_of(std::string_view(text).substr(0, dash));
  const auto last = dash == text.npos ? first : weekday_of(std::string_view(text).substr(dash + 1));
  if (node.kind != Node::Kind::scalar || !first || !last) {
    problems.add(node.mark, fmt::format("expected a day; {}; {}", found_text(node), kDaysRule));
    return;
  }
  // "fri-mon" goes on after the week's end.
  for (std::size_t day = *first;; day = (day + 1) % out.days.size()) {
    out.days.set(day);
    if (day == *last) break;
  }
  out.text += (out.text.empty() ? "" : ",") + text;
}

// Found by read_settings, as the next one.
void read_value(const Node& node, Days& out, Problems& problems) {
  if (node.kind != Node::Kind::list) return add_days(node, out, problems);
  if (node.items.empty()) problems.add(node.mark, fmt::format("days is empty; {}", kDaysRule));
  for (const Node& item : node.items) add_days(item, out, problems);
}

// Also a mistaken one, such as "8:00", "0800" or "8am": a cron expression has blanks.
bool is_time(std::string_view text) {
  return text.find(':') != text.npos || text.find_first_of(" \t@*") == text.npos;
}

// "08:00" from midnight on.
std::optional<minutes> parse_time(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const minutes out{hour * 60 + minute};
  return minute < 60 && out <= kDay ? std::optional(out) : std::nullopt;
}

Weekdays next_days(const Weekdays& days) { return days << 1 | days >> (days.size() - 1); }

std::optional<Window> from_times(const Node& node, const WindowBlock& block, Problems& problems) {
  const auto from = parse_time(block.from);
  const auto to = parse_time(block.to);
  if (!from || *from == kDay) {
    problems.add(node.find("from")->mark,
                 fmt::format("\"{}\" is not a valid time; write 00:00 to 23:59", block.from));
  }
  if (!to) {
    problems.add(node.find("to")->mark,
                 fmt::format("\"{}\" is not a valid time; write 00:00 to 24:00", block.to));
  }
  if (!from || !to || *from == kDay) return std::nullopt;
  if (*from == *to) {
    problems.add(node.find("to")->mark,
                 fmt::format("from and to are both {}; for whole days write from: \"00:00\" and "
                             "to: \"24:00\"",
                             block.from));
    return std::nullopt;
  }
  Days days = block.days.value_or(Days{Weekdays{}.set(), "every day"});
  // A window that ends before it begins ends on the next day.
  const bool ends_next_day = *to < *from || *to == kDay;
  return Window{Cron::weekly(days.days, *from),
                Cron::weekly(ends_next_day ? next_days(days.days) : days.days, *to % kDay),
                block.value,
                fmt::format("{} {}-{}", days.text, block.from, block.to)};
}

std::optional<Window> from_crons(const Node& node, const WindowBlock& block, Problems& problems) {
  auto from = Cron::parse(block.from);
  auto to = Cron::parse(block.to);
  for (const auto& [key, parsed] : {std::pair{"from", &from}, std::pair{"to", &to}}) {
    if (const auto* invalid = std::get_if<Cron::Invalid>(parsed))
      problems.add(node.find(key)->mark, invalid->why);
  }
  if (std::holds_alternative<Cron::Invalid>(from) || std::holds_alternative<Cron::Invalid>(to))
    return std::nullopt;
  if (std::get<Cron>(to).comes_only_with(std::get<Cron>(from))) {
    problems.add(node.find("to")->mark,
                 "the window never ends, because from comes at every time of to; write another "
                 "time for to");
    return std::nullopt;
  }
  return Window{std::get<Cron>(std::move(from)),
                std::get<Cron>(std::move(to)),
                block.value,
                fmt::format("\"{}\" to \"{}\"", block.from, block.to)};
}

constexpr std::array kWindowTable{
    setting<&WindowBlock::days>("days", "days on which it begins; off: every day"),
    required_setting<&WindowBlock::from>("from", "a time such as 08:00, or a cron expression"),
    required_setting<&WindowBlock::to>("to", "a time such as 18:00, or a cron expression"),
    required_setting<&WindowBlock::value>("value", "the number while it is open"),
};

void check_number(const Node& block, std::string_view key, double number, Problems& problems) {
  if (number < 0) {
    problems.add(block.find(key)->mark, fmt::format("{} must be 0 or more; write {}: 0", key, key));
  } else if (!is_representable(number)) {
    problems.add(block.find(key)->mark,
                 fmt::format("{} must be below 9.2e15, the largest value an HPA can read", key));
  }
}

std::optional<Window> read_window(const Node& node, Problems& problems) {
  const std::size_t before = problems.size();
  WindowBlock block;
  read_settings(node, kWindowTable, "window of a schedule", block, problems);
  // A problem of the keys, after which the texts may be absent.
  if (problems.size() != before) return std::nullopt;
  check_number(node, "value", block.value, problems);
  if (is_time(block.from) != is_time(block.to)) {
    problems.add(node.find("to")->mark,
                 "from and to are a time and a cron expression; write two times, or two cron "
                 "expressions");
    return std::nullopt;
  }
  if (is_time(block.from)) return from_times(node, block, problems);
  if (block.days) {
    problems.add(node.find("days")->mark,
                 "a cron expression has its own days; remove days, or write times such as 08:00");
    return std::nullopt;
  }
  return from_crons(node, block, problems);
}

void read_value(const Node& node, Windows& out, Problems& problems) {
  constexpr std::string_view kRule = "{days: mon-fri, from: \"08:00\", to: \"18:00\", value: 8}";
  if (node.kind != Node::Kind::list) {
    problems.add(
        node.mark,
        fmt::format("expected a list of windows; {}; write - {}", found_text(node), kRule));
    return;
  }
  if (node.items.empty())
    problems.add(node.mark,
                 fmt::format("windows is empty; write at least one, such as - {}", kRule));
  for (const Node& item : node.items) {
    if (auto window = read_window(item, problems)) out.list.push_back(std::move(*window));
  }
}

constexpr std::array kMetricTable{
    required_setting<&MetricBlock::time_zone>(
        "timeZone",
        "time zone of all times by its IANA name, such as Europe/Berlin or UTC"),
    required_setting<&MetricBlock::windows>(
        "windows",
        "each {days: mon-fri, from: \"08:00\", to: \"18:00\", value: 8}, or {from: \"0 8 * * "
        "1-5\", "
        "to: \"0 18 * * 1-5\", value: 8} with cron expressions; of windows that overlap, the "
        "largest value counts"),
    required_setting<&MetricBlock::otherwise>("otherwise", "the number while no window is open"),
};

}  // namespace

Settings read_metric(const Node& block, Problems& problems) {
  MetricBlock read;
  read_settings(block, kMetricTable, "schedule", read, problems);
  Settings out;
  const Node* zone = block.find("timeZone");
  if (zone != nullptr && !read.time_zone.empty()) {
    out.zone = TimeZone::find(read.time_zone);
    if (!out.zone) {
      const std::string suggestion = TimeZone::suggestion_for(read.time_zone);
      problems.add(
          zone->mark,
          fmt::format("there is no time zone \"{}\"{}",
                      read.time_zone,
                      suggestion.empty()
                          ? "; write a name of the IANA database, such as Europe/Berlin or UTC"
                          : suggestion));
    }
  }
  if (block.find("otherwise") != nullptr)
    check_number(block, "otherwise", read.otherwise, problems);
  out.plan = {std::move(read.windows.list), read.otherwise};
  return out;
}

std::vector<SettingDoc> metric_docs() { return docs_of<MetricBlock>(kMetricTable); }

}  // namespace weir::scalers::backends::schedule
