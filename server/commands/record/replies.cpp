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
  HpaState out{count_in(state, "currentReplicas"), count_in(state, "desiredReplicas"), {}};
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
