// The log: one line an event on stderr, in klog's text form or as a JSON object, with fixed event
// words and fields. Loop thread only, and startup before it. A Secret has no conversion to text, so
// it cannot be a field.
#pragma once

#include "scalers/deadline.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::server {

enum class Level { info, warn, error };

struct Field {
  std::string_view name;
  std::string value;
  bool is_number = false;

  Field(std::string_view named, std::string text) : name(named), value(std::move(text)) {}
  Field(std::string_view named, std::string_view text) : name(named), value(text) {}
  Field(std::string_view named, const char* text) : name(named), value(text) {}
  template <class Number>
  requires std::is_arithmetic_v<Number> Field(std::string_view named, Number number)
      : name(named), value(fmt::format("{}", number)), is_number(true) {}
};

// log(Level::warn, "backend_down", {{"backend", name}, {"after_ms", 250}});
void log(Level level, std::string_view event, std::initializer_list<Field> fields);

// For events that any client can cause at will. A line that was written less than 10 s ago is only
// counted; after the 10 s one line with the count in `repeated` is written. Counts are kept for 256
// different lines; beyond that they are kept for each event and level.
void log_rate_limited(Level level, std::string_view event, std::initializer_list<Field> fields);

enum class LogFormat { text, json };

// How every later line is written, and how much: lines of a verbosity above `verbosity` (0 to 10)
// are left out. Text and 0 until it is called.
void set_log(LogFormat format, int verbosity);
// Lines that were dropped because stderr is a full pipe, or a file on a full disk.
[[nodiscard]] std::uint64_t log_lines_dropped();
[[nodiscard]] bool is_logged(int verbosity);
// An info line that is written only at this verbosity (-v) or a higher one.
void log_at(int verbosity, std::string_view event, std::initializer_list<Field> fields);

// Writes the repeat counts whose 10 s are over; to be called about once a second.
void flush_repeat_counts();
// Writes all repeat counts; to be called at the end.
void flush_log();

// klog's header of a text line, with a space at its end: level letter, month and day, time of day
// (UTC, microseconds cut off), process id, program: `I1122 06:40:01.000042 7 weir] `.
[[nodiscard]] std::string log_prefix(WallTime now, Level level, int pid);

// The line's text after klog's header: `event name="value" ...`, control bytes and quotes escaped.
[[nodiscard]] std::string log_text(std::string_view event, std::span<const Field> fields);
[[nodiscard]] inline std::string log_text(std::string_view event,
                                          std::initializer_list<Field> fields) {
  return log_text(event, std::span<const Field>(fields.begin(), fields.size()));
}

// The line as JSON, in ASCII: ts (seconds since 1970), level, v, msg, and the fields.
[[nodiscard]] std::string log_json(WallTime now,
                                   Level level,
                                   int verbosity,
                                   std::string_view event,
                                   std::span<const Field> fields);
[[nodiscard]] inline std::string log_json(WallTime now,
                                          Level level,
                                          int verbosity,
                                          std::string_view event,
                                          std::initializer_list<Field> fields) {
  return log_json(now,
                  level,
                  verbosity,
                  event,
                  std::span<const Field>(fields.begin(), fields.size()));
}

}  // namespace weir::server
