// Parses what an HPA would see. An item that cannot be parsed is an error, never a value of 0.
#include "server/commands/record/replies.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "apiservice/encoding/time.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <utility>

namespace weir::server::record {
namespace {

using nlohmann::json;
using scalers::Errc;
using scalers::Error;
using scalers::Reading;
using scalers::Result;

std::string text_in(const json& object, const char* key) {
  const auto value = object.is_object() ? object.find(key) : object.end();
  return value != object.end() && value->is_string() ? value->get<std::string>() : std::string();
}

// The field `key`; null when it is absent.
json part_of(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : json();
}

std::optional<std::int64_t> count_in(const json& object, const char* key) {
  const json value = part_of(object, key);
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

// Sets `object` from a 2xx response; an error with the message of the Status otherwise.
std::optional<Error> take_object(long status, std::string_view body, json& object) {
  object = json::parse(body, nullptr, false);
  if (status / 100 == 2 && object.is_object()) return std::nullopt;
  // The message of the Status is what an HPA shows in its conditions.
  const std::string message = text_in(object, "message");
  if (!message.empty()) return Error{Errc::bad_reply, message, ""};
  return Error{
      Errc::bad_reply,
      fmt::format("the response of the kube-apiserver is not a JSON object (HTTP {})", status),
      ""};
}

std::optional<Reading> reading_of(const json& item) {
  const auto value = apiservice::parse_quantity(text_in(item, "value"));
  const auto taken_at = apiservice::parse_rfc3339(text_in(item, "timestamp"));
  // A value without a time would have no age.
  if (!value || !taken_at) return std::nullopt;
  Reading out{{}, *value, *taken_at};
  const json labels = part_of(item, "metricLabels");
  for (const auto& [name, label] : labels.items())
    if (label.is_string()) out.labels.emplace(name, label.get<std::string>());
  return out;
}

// The fields of each type: {"type": "Resource", "resource": {...}}.
std::string field_of(const std::string& type) {
  std::string out = type;
  // "ContainerResource" is under containerResource.
  if (!out.empty() && out.front() >= 'A' && out.front() <= 'Z')
    out.front() = static_cast<char>(out.front() - 'A' + 'a');
  return out;
}

std::string name_in(const json& block) {
  const std::string name = text_in(block, "name");
  return name.empty() ? text_in(part_of(block, "metric"), "name") : name;
}

std::optional<double> quantity_in(const json& object, const char* key) {
  return apiservice::parse_quantity(text_in(object, key));
}

std::optional<double> percent_in(const json& object, const char* key) {
  const auto count = count_in(object, key);
  return count ? std::optional(static_cast<double>(*count)) : std::nullopt;
}

// The entries of status.currentMetrics are in the order of those of the spec; one that could not be
// read is empty.
std::vector<HpaMetric> metrics_of(const json& targets, const json& current) {
  std::vector<HpaMetric> out;
  if (!targets.is_array()) return out;
  for (std::size_t n = 0; n < targets.size(); ++n) {
    const std::string type = text_in(targets[n], "type");
    const json block = part_of(targets[n], field_of(type).c_str());
    const json target = part_of(block, "target");
    HpaMetric& metric = out.emplace_back(HpaMetric{type, name_in(block)});
    metric.target_value = quantity_in(target, "value");
    metric.target_average = quantity_in(target, "averageValue");
    metric.target_utilization = percent_in(target, "averageUtilization");
    if (!current.is_array() || n >= current.size() || text_in(current[n], "type") != type) continue;
    const json read_block = part_of(current[n], field_of(type).c_str());
    if (name_in(read_block) != metric.name) continue;
    const json read = part_of(read_block, "current");
    metric.value = quantity_in(read, "value");
    metric.average = quantity_in(read, "averageValue");
    metric.utilization = percent_in(read, "averageUtilization");
  }
  return out;
}

}  // namespace

Result<std::vector<Reading>> parse_values(long status, std::string_view body) {
  json object;
  if (auto failed = take_object(status, body, object)) return std::move(*failed);
  std::vector<Reading> out;
  const json items = part_of(object, "items");
  for (const json& item : items) {
    auto reading = reading_of(item);
    if (!reading)
      return Error{Errc::bad_reply, "an item of the response has no value or no timestamp", ""};
    out.push_back(std::move(*reading));
  }
  // An error for the HPA controller too.
  if (out.empty()) return Error{Errc::bad_reply, "the response has no items", ""};
  return out;
}

// Replicas are optional, because a new HPA has no status yet.
Result<HpaState> parse_hpa(long status, std::string_view body) {
  json object;
  if (auto failed = take_object(status, body, object)) return std::move(*failed);
  const json state = part_of(object, "status");
  const json spec = part_of(object, "spec");
  HpaState out{count_in(state, "currentReplicas"), count_in(state, "desiredReplicas"), {}};
  // The kube-apiserver fills in a minReplicas of 1.
  out.least = count_in(spec, "minReplicas");
  out.most = count_in(spec, "maxReplicas");
  out.metrics = metrics_of(part_of(spec, "metrics"), part_of(state, "currentMetrics"));
  const json conditions = part_of(state, "conditions");
  for (const json& condition : conditions) {
    out.conditions.push_back({text_in(condition, "type"),
                              text_in(condition, "status"),
                              text_in(condition, "reason"),
                              text_in(condition, "message")});
  }
  return out;
}

}  // namespace weir::server::record
