// One pass over the readings into one string, for JSON and for protobuf.
#include "apiservice/groups/external_values.hpp"

#include "apiservice/encoding/json.hpp"
#include "apiservice/encoding/protobuf_writer.hpp"
#include "apiservice/encoding/quantity.hpp"
#include "apiservice/encoding/time.hpp"

#include <chrono>
#include <cstddef>

namespace weir::apiservice {
namespace {

// Reserved sizes, enough for a document unless names and labels are long.
constexpr std::size_t kListBytes = 128;
constexpr std::size_t kItemBytes = 160;
constexpr std::size_t kProtobufItemBytes = 128;

constexpr std::string_view kGroupVersion = "external.metrics.k8s.io/v1beta1";
constexpr std::string_view kListKind = "ExternalMetricValueList";

// Writes an ExternalMetricValue into `item`; `part` is scratch. Both are reused over the items.
void write_item(std::string& item,
                std::string& part,
                std::string_view metric,
                const scalers::Reading& reading) {
  item.clear();
  append_text(item, 1, metric);
  for (const auto& [name, value] : reading.labels) {
    // A map is a repeated message of key 1 and value 2, in the order of the keys.
    part.clear();
    append_text(part, 1, name);
    append_text(part, 2, value);
    append_bytes(item, 2, part);
  }
  part.clear();
  // floor(), because a cast would round times before 1970 up.
  const auto seconds = std::chrono::floor<std::chrono::seconds>(reading.taken_at);
  append_number(part, 1, seconds.time_since_epoch().count());
  append_number(part, 2, 0);  // nanoseconds: Go cuts them off
  append_bytes(item, 3, part);
  part.clear();
  // Quantity{string = 1} in field 5. Field 4 is the window, which no value has.
  append_quantity(part, reading.value);
  const std::string text = part;
  part.clear();
  append_bytes(part, 1, text);
  append_bytes(item, 5, part);
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
  // Go's encoder ends a document with a line end.
  out += "]}\n";
}

void append_value_list_protobuf(std::string& out,
                                std::string_view metric,
                                std::span<const scalers::Reading> readings) {
  std::string raw;
  raw.reserve(kProtobufItemBytes * (readings.size() + 1));
  append_bytes(raw, 1, kListMeta);
  std::string item;
  std::string part;
  item.reserve(kProtobufItemBytes);
  part.reserve(kProtobufItemBytes);
  for (const scalers::Reading& reading : readings) {
    write_item(item, part, metric, reading);
    append_bytes(raw, 2, item);
  }
  append_envelope(out, kGroupVersion, kListKind, raw);
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

}  // namespace weir::apiservice
