// The log: one line an event on stderr, in klog's text form, with fixed event words and fields.
// Loop thread, and the start before it. A Secret has no conversion to text, so none can be a field.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace weir::server {

enum class Level { info, warn, error };

struct Field {
  std::string_view name;
  std::string value;

  Field(std::string_view named, std::string text) : name(named), value(std::move(text)) {}
  Field(std::string_view named, std::string_view text) : name(named), value(text) {}
  Field(std::string_view named, const char* text) : name(named), value(text) {}
  template <class Number>
  requires std::is_arithmetic_v<Number> Field(std::string_view named, Number number)
      : name(named), value(fmt::format("{}", number)) {}
};

// log(Level::warn, "backend_down", {{"backend", name}, {"after_ms", 250}});
void log(Level level, std::string_view event, std::initializer_list<Field> fields);

// The line's text behind klog's header: `event name="value" ...`, control bytes and quotes escaped.
[[nodiscard]] std::string log_text(std::string_view event, std::initializer_list<Field> fields);

}  // namespace weir::server
