// CSV with a fixed set of columns for metrics and HPAs, so that one file holds both.
#include "server/commands/record/csv.hpp"

#include "apiservice/encoding/time.hpp"

#include <fmt/format.h>

#include <array>

namespace weir::server::record {
namespace {

// The columns in order; an empty column has no value.
struct Row {
  std::string time;
  std::string elapsed_seconds;
  std::string kind;  // "metric" or "hpa"
  std::string name;
  std::string labels;
  std::string value;
  std::string timestamp;
  std::string age_seconds;
  std::string took_ms;
  std::string current_replicas;
  std::string desired_replicas;
  std::string conditions;
  std::string error;
};

std::string line_of(const Row& row) {
  // In the order of the names in csv_head().
  const std::array fields{&row.time,
                          &row.elapsed_seconds,
                          &row.kind,
                          &row.name,
                          &row.labels,
                          &row.value,
                          &row.timestamp,
                          &row.age_seconds,
                          &row.took_ms,
                          &row.current_replicas,
                          &row.desired_replicas,
                          &row.conditions,
                          &row.error};
  std::string out;
  for (const std::string* field : fields) {
    if (field != fields.front()) out += ',';
    out += csv_field(*field);
  }
  return out + kCsvLineEnd;
}

template <class AnySample>
Row row_of(const char* kind, std::string_view name, const AnySample& sample) {
  Row out;
  out.time = apiservice::rfc3339(sample.time);
  // To the millisecond, because `time` has whole seconds.
  out.elapsed_seconds = fmt::format("{:.3f}", sample.at);
  out.kind = kind;
  out.name = std::string(name);
  out.took_ms = fmt::format("{:.1f}", sample.took * 1000);
  out.error = sample.error;
  return out;
}

}  // namespace

// RFC 4180, 2.6 and 2.7: quotes are doubled inside a quoted field.
std::string csv_field(const std::string& field) {
  // Other fields need no quotes (2.5).
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string out = "\"";
  for (const char character : field)
    out += character == '"' ? std::string("\"\"") : std::string(1, character);
  return out + '"';
}

std::string csv_head() {
  return line_of({"time",
                  "elapsed_seconds",
                  "kind",
                  "name",
                  "labels",
                  "value",
                  "timestamp",
                  "age_seconds",
                  "took_ms",
                  "current_replicas",
                  "desired_replicas",
                  "conditions",
                  "error"});
}

std::string csv_of(std::string_view metric, const Sample& sample) {
  Row row = row_of("metric", metric, sample);
  // An error has no value: an empty column, never a 0.
  if (sample.readings.empty()) return line_of(row);
  std::string out;
  for (const scalers::Reading& reading : sample.readings) {
    row.labels = text_of(reading.labels);
    // The shortest decimal that reads back as the same double.
    row.value = fmt::format("{}", reading.value);
    row.timestamp = apiservice::rfc3339(reading.taken_at);
    row.age_seconds = fmt::format("{:.3f}", age_of(sample, reading));
    out += line_of(row);
  }
  return out;
}

std::string csv_of(std::string_view hpa, const HpaSample& sample) {
  Row row = row_of("hpa", hpa, sample);
  if (sample.state.current) row.current_replicas = fmt::format("{}", *sample.state.current);
  if (sample.state.desired) row.desired_replicas = fmt::format("{}", *sample.state.desired);
  row.conditions = text_of(sample.state.conditions);
  return line_of(row);
}

}  // namespace weir::server::record
