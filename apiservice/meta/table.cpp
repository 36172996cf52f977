// Appends to one string, like the value list: kubectl asks for tables on every `get`.
#include "apiservice/meta/table.hpp"

#include "apiservice/encoding/json.hpp"
#include "apiservice/encoding/quantity.hpp"
#include "apiservice/encoding/time.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace weir::apiservice {
namespace {

using scalers::Reading;
using Include = TableOptions::Include;

// The format `name` marks the column that identifies a row. Columns of priority 0 are printed
// without -o wide.
constexpr std::string_view kColumns =
    R"("columnDefinitions":[)"
    R"({"name":"Name","type":"string","format":"name","description":"The metric's name.",)"
    R"("priority":0},)"
    R"({"name":"Labels","type":"string","format":"","description":"The labels of the value.",)"
    R"("priority":0},)"
    R"({"name":"Value","type":"string","format":"","description":"The value, as a decimal.",)"
    R"("priority":0},)"
    R"({"name":"Timestamp","type":"string","format":"","description":)"
    R"("When the source was queried for the value.","priority":0}],)";

std::string_view version_of(TableOptions options) { return options.is_v1beta1 ? "v1beta1" : "v1"; }

void append_label_text(std::string& out, const scalers::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += '=';
    text += value;
  }
  // An empty cell would look like a missing one; kubectl prints empty labels in this way.
  append_json_string(out, text.empty() ? "<none>" : text);
}

void append_cells(std::string& out, std::string_view metric, const Reading& reading) {
  // A row has one cell a column, in the order of kColumns.
  out += R"({"cells":[)";
  append_json_string(out, metric);
  out += ',';
  append_label_text(out, reading.labels);
  out += ",\"";
  out += decimal(reading.value);
  out += "\",\"";
  append_rfc3339(out, reading.taken_at);
  out += "\"],";
}

void append_metadata(std::string& out,
                     std::string_view version,
                     std::string_view metric,
                     const Reading& reading) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/{}","metadata":{{"name":)",
      version);
  append_json_string(out, metric);
  // As Go writes a time that is not set.
  out += R"(,"creationTimestamp":null)";
  if (!reading.labels.empty()) {
    out += R"(,"labels":)";
    append_labels(out, reading.labels);
  }
  out += "}}";
}

void append_object(std::string& out,
                   TableOptions options,
                   const TableItem& item,
                   std::string_view metric,
                   const Reading& reading) {
  switch (options.include) {
    case Include::metadata: append_metadata(out, version_of(options), metric, reading); break;
    case Include::object:
      fmt::format_to(std::back_inserter(out),
                     R"({{"kind":"{}","apiVersion":"{}",)",
                     item.kind,
                     item.api_version);
      item.append_fields(out, metric, reading);
      out += '}';
      break;
    // The key stays, with null, as Go writes an empty RawExtension.
    case Include::none: out += "null"; break;
  }
}

}  // namespace

std::variant<Include, Status> parse_include(const Request& request) {
  const std::string_view include = request.parameter("includeObject");
  if (include.empty() || include == "Metadata") return Include::metadata;
  if (include == "Object") return Include::object;
  if (include == "None") return Include::none;
  // The words are case-sensitive, so `object` is an error as well, as in Kubernetes.
  std::string message = "Invalid value: ";
  append_json_string(message, include);
  message += ": must be 'Metadata', 'Object', 'None', or empty";
  return invalid("TableOptions", {{"FieldValueInvalid", std::move(message), "includeObject"}});
}

void append_value_table(std::string& out,
                        TableOptions options,
                        const TableItem& item,
                        std::string_view metric,
                        std::span<const Reading> readings) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"kind":"Table","apiVersion":"meta.k8s.io/{}","metadata":{{}},)",
                 version_of(options));
  out += kColumns;
  out += R"("rows":[)";
  for (const Reading& reading : readings) {
    if (&reading != readings.data()) out += ',';
    append_cells(out, metric, reading);
    out += R"("object":)";
    append_object(out, options, item, metric, reading);
    out += '}';
  }
  out += "]}\n";
}

}  // namespace weir::apiservice
