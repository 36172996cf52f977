// Parses the list and watch responses. Anything unexpected ends the watch, and a new list follows.
#include "server/kube/trust/watch_events.hpp"

#include <nlohmann/json.hpp>

namespace weir::server::cluster {
namespace {

using nlohmann::json;
using scalers::Errc;
using scalers::Error;
using scalers::Result;

constexpr int kGone = 410;

// Null for an absent member, and for every member of what is not an object.
const json& member(const json& object, const char* name) {
  static const json kNothing;
  const auto field = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && field != object.end() ? *field : kNothing;
}

std::string text_in(const json& object, const char* name) {
  const json& text = member(object, name);
  return text.is_string() ? text.get<std::string>() : std::string();
}

// Values that are not strings are left out; a ConfigMap has none.
ConfigMapData data_of(const json& config_map) {
  ConfigMapData out;
  const json& data = member(config_map, "data");
  if (!data.is_object()) return out;
  for (const auto& item : data.items()) {
    if (item.value().is_string()) out.emplace(item.key(), item.value().get<std::string>());
  }
  return out;
}

std::string version_of(const json& object) {
  return text_in(member(object, "metadata"), "resourceVersion");
}

}  // namespace

Result<ConfigMapList> parse_config_map_list(std::string_view reply) {
  const json document = json::parse(reply, nullptr, false);
  const json& items = member(document, "items");
  ConfigMapList out{version_of(document), std::nullopt};
  const bool is_list = items.is_array() || items.is_null();
  // Without a resource version no watch could follow.
  if (text_in(document, "kind") != "ConfigMapList" || !is_list || out.resource_version.empty())
    return Error{Errc::bad_reply, "the response is not a list of ConfigMaps", ""};
  // The field selector permits one item at most.
  if (!items.empty()) out.data = data_of(items.front());
  return out;
}

WatchEvent parse_watch_event(std::string_view line) {
  const json event = json::parse(line, nullptr, false);
  // Invalid JSON has no members: it is an error, like an unknown type.
  const std::string type = text_in(event, "type");
  const json& object = member(event, "object");
  WatchEvent out;
  out.resource_version = version_of(object);
  if (type == "ADDED" || type == "MODIFIED") {
    out.kind = WatchEvent::Kind::changed;
    out.data = data_of(object);
  } else if (type == "DELETED") {
    out.kind = WatchEvent::Kind::deleted;
  } else if (type == "BOOKMARK") {
    out.kind = WatchEvent::Kind::bookmark;
  } else if (type == "ERROR" && member(object, "code") == kGone) {
    // The status of the stream is 200 already, so the error is an event with a Status.
    out.kind = WatchEvent::Kind::gone;
  }
  // Without a version the next watch could not continue after this event.
  const bool has_object = out.kind != WatchEvent::Kind::error && out.kind != WatchEvent::Kind::gone;
  if (has_object && out.resource_version.empty()) out.kind = WatchEvent::Kind::error;
  return out;
}

std::optional<std::vector<std::string>> LineBuffer::take(std::string_view piece) {
  std::vector<std::string> out;
  while (true) {
    const auto end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    // Before the end of the line is known: a line without an end must not grow.
    if (partial_line_.size() + part.size() > max_line_bytes_) return std::nullopt;
    partial_line_ += part;
    if (end == piece.npos) return out;
    if (!partial_line_.empty()) out.push_back(std::move(partial_line_));
    partial_line_.clear();
    piece.remove_prefix(end + 1);
  }
}

}  // namespace weir::server::cluster
