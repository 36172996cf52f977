#include "server/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <memory>

namespace weir::server {
namespace {

// Only printable ASCII passes as it is: names, paths and errors come from callers and backends, and
// a terminal may read the log.
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

spdlog::logger& logger() {
  static const auto kLogger = [] {
    auto made =
        std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_sink_st>());
    made->set_pattern("%L%m%d %H:%M:%S.%f %P weir] %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *kLogger;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

std::string log_text(std::string_view event, std::initializer_list<Field> fields) {
  std::string out(event);
  for (const Field& field : fields) {
    out += ' ';
    out += field.name;
    out += '=';
    append_quoted(out, field.value);
  }
  return out;
}

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  logger().log(level_of(level), log_text(event, fields));
}

}  // namespace weir::server
