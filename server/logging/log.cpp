// The log of the process. Its state is static, because every part of the server logs and the format
// is a property of the process.
#include "server/logging/log.hpp"

#include "server/logging/line_writer.hpp"
#include "server/logging/repeats.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <iterator>

namespace weir::server {
namespace {

// Only printable ASCII is written unescaped, because names, paths and errors come from callers and
// backends, and an escape sequence could change the terminal that shows the log.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c < ' ' || c > '~') {
      const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

struct Settings {
  LogFormat format = LogFormat::text;
  int verbosity = 0;
};

Settings& settings() {
  // Local statics, because they exist from the first use on, whatever logs first.
  static Settings instance;
  return instance;
}

LineWriter& standard_error() {
  static LineWriter instance(STDERR_FILENO);
  return instance;
}

// The level letters of klog.
char letter_of(Level level) {
  switch (level) {
    case Level::info: return 'I';
    case Level::warn: return 'W';
    case Level::error: return 'E';
  }
  return 'E';
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "error";
}

// ASCII only, as in the text form; invalid UTF-8 becomes U+FFFD.
void append_json(std::string& out, std::string_view text) {
  // Values may hold bytes of callers and backends, and the strict dump() throws at invalid UTF-8.
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  out += nlohmann::json(text).dump(-1, ' ', true, kReplace);
}

void put(Level level, int verbosity, std::string_view event, std::span<const Field> fields) {
  const WallTime now = std::chrono::system_clock::now();
  std::string line = settings().format == LogFormat::text
                         ? log_prefix(now, level, ::getpid()) + log_text(event, fields)
                         : log_json(now, level, verbosity, event, fields);
  // With its end in one text, so that a line is written whole or dropped whole.
  line += '\n';
  standard_error().write(line);
}

// After dropped lines, the first line that fits again reports how many were dropped.
void write(Level level, int verbosity, std::string_view event, std::span<const Field> fields) {
  static std::uint64_t reported = 0;
  const std::uint64_t dropped = log_lines_dropped();
  // Reported only when it fits: a report that is dropped would lose the count.
  if (dropped != reported && standard_error().has_room()) {
    const Field lines("lines", dropped - std::exchange(reported, dropped));
    put(Level::warn, 0, "log_lines_dropped", {&lines, 1});
  }
  put(level, verbosity, event, fields);
}

LogRepeats& repeats() {
  static LogRepeats instance;
  return instance;
}

void write_repeated(std::vector<LogRepeats::Line> lines) {
  for (LogRepeats::Line& line : lines) {
    line.fields.emplace_back("repeated", line.repeats);
    write(line.level, 0, line.event, line.fields);
  }
}

}  // namespace

// UTC instead of klog's local time, because a container has no time zone.
std::string log_prefix(WallTime now, Level level, int pid) {
  const auto time = std::chrono::floor<std::chrono::microseconds>(now);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  // klog has the source file and line in place of the program name; here the event word identifies
  // the line.
  return fmt::format("{}{:02}{:02} {:02}:{:02}:{:02}.{:06} {} weir] ",
                     letter_of(level),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     clock.hours().count(),
                     clock.minutes().count(),
                     clock.seconds().count(),
                     clock.subseconds().count(),
                     pid);
}

std::string log_text(std::string_view event, std::span<const Field> fields) {
  std::string out(event);
  for (const Field& field : fields) {
    out += ' ';
    out += field.name;
    out += '=';
    append_quoted(out, field.value);
  }
  return out;
}

std::string log_json(WallTime now,
                     Level level,
                     int verbosity,
                     std::string_view event,
                     std::span<const Field> fields) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  // From integers, because a double could round the last digit.
  std::string out = fmt::format(R"({{"ts":{}.{:06},"level":"{}","v":{},"msg":)",
                                since.count() / 1'000'000,
                                since.count() % 1'000'000,
                                name_of(level),
                                verbosity);
  append_json(out, event);
  for (const Field& field : fields) {
    out += ',';
    append_json(out, field.name);
    out += ':';
    // inf and nan are not numbers in JSON.
    if (field.is_number && nlohmann::json::accept(field.value)) {
      out += field.value;
    } else {
      append_json(out, field.value);
    }
  }
  out += '}';
  return out;
}

void set_log(LogFormat format, int verbosity) { settings() = {format, verbosity}; }

std::uint64_t log_lines_dropped() { return standard_error().dropped(); }

bool is_logged(int verbosity) { return verbosity <= settings().verbosity; }

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  write(level, 0, event, {fields.begin(), fields.size()});
}

void log_rate_limited(Level level, std::string_view event, std::initializer_list<Field> fields) {
  const std::span<const Field> all(fields.begin(), fields.size());
  const SteadyTime now = std::chrono::steady_clock::now();
  // Counts that are due come before the line, so that the log stays in the order of time.
  write_repeated(repeats().take_due(now));
  if (repeats().admit(level, event, all, now)) write(level, 0, event, all);
}

void flush_repeat_counts() { write_repeated(repeats().take_due(std::chrono::steady_clock::now())); }
void flush_log() { write_repeated(repeats().take_all()); }

void log_at(int verbosity, std::string_view event, std::initializer_list<Field> fields) {
  if (is_logged(verbosity)) write(Level::info, verbosity, event, {fields.begin(), fields.size()});
}

}  // namespace weir::server
