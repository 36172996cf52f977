#include "apiservice/groups/documents.hpp"

#include "apiservice/encoding/json.hpp"
#include "apiservice/encoding/quantity.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace weir::apiservice {
namespace {

// A document of so many items fits what is set aside at once, unless names and labels are long.
constexpr std::size_t kListBytes = 128;
constexpr std::size_t kItemBytes = 160;

void append_digits(std::string& out, unsigned value, int width) {
  std::array<char, 8> digits{};
  for (int i = width - 1; i >= 0; --i) {
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits.data(), static_cast<std::size_t>(width));
}

}  // namespace

void append_value_list(std::string& out,
                       std::string_view metric,
                       std::span<const scalers::Reading> readings) {
  out.reserve(out.size() + kListBytes + readings.size() * kItemBytes);
  out +=
      R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},"items":[)";
  for (const scalers::Reading& reading : readings) {
    out += &reading == readings.data() ? "{" : ",{";
    append_value_fields(out, metric, reading);
    out += '}';
  }
  out += "]}\n";
}

void append_value_fields(std::string& out,
                         std::string_view metric,
                         const scalers::Reading& reading) {
  out += R"("metricName":)";
  append_json_string(out, metric);
  out += R"(,"metricLabels":)";
  append_labels(out, reading.labels);
  out += R"(,"timestamp":")";
  append_rfc3339(out, reading.taken_at);
  out += R"(","value":")";
  append_quantity(out, reading.value);
  out += '"';
}

void append_labels(std::string& out, const scalers::Labels& labels) {
  out += '{';
  for (bool is_first = true; const auto& [name, value] : labels) {
    if (!is_first) out += ',';
    is_first = false;
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
  out += '}';
}

void append_rfc3339(std::string& out, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
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

}  // namespace weir::apiservice
