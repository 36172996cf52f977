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
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Null when it is not there.
json part_of(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : json();
}

std::optional<std::int64_t> count_in(const json& object, const char* key) {
  const json found = part_of(object, key);
  return found.is_number_integer() ? std::optional(found.get<std::int64_t>()) : std::nullopt;
}

// Fills `object` with that of a 2xx answer; else what the Status says.
std::optional<Error> take_object(long status, std::string_view body, json& object) {
  object = json::parse(body, nullptr, false);
  if (status / 100 == 2 && object.is_object()) return std::nullopt;
  const std::string said = text_in(object, "message");
  if (!said.empty()) return Error{Errc::bad_reply, said, ""};
  return Error{Errc::bad_reply,
               fmt::format("the kube-apiserver's answer is no object (HTTP {})", status),
               ""};
}

std::optional<Reading> reading_of(const json& item) {
  const auto value = apiservice::parse_quantity(text_in(item, "value"));
  const auto taken_at = apiservice::parse_rfc3339(text_in(item, "timestamp"));
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
      return Error{Errc::bad_reply, "an item of the answer has no value or no timestamp", ""};
    out.push_back(std::move(*reading));
  }
  if (out.empty()) return Error{Errc::bad_reply, "the answer has no item", ""};
  return out;
}

Result<HpaState> parse_hpa(long status, std::string_view body) {
  json object;
  if (auto failed = take_object(status, body, object)) return std::move(*failed);
  const json state = part_of(object, "status");
  HpaState out{count_in(state, "currentReplicas"), count_in(state, "desiredReplicas"), {}};
  const json conditions = part_of(state, "conditions");
  for (const json& one : conditions) {
    out.conditions.push_back({text_in(one, "type"),
                              text_in(one, "status"),
                              text_in(one, "reason"),
                              text_in(one, "message")});
  }
  return out;
}

}  // namespace weir::server::record
