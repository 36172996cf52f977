// What a list and a watch of one ConfigMap say: JSON documents, and lines of a stream. Pure.
#pragma once

#include "scalers/error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::cluster {

using ConfigMapData = std::map<std::string, std::string>;

struct ConfigMapList {
  std::string resource_version;       // where a watch goes on from
  std::optional<ConfigMapData> data;  // of the first item; nullopt: there is none
};

// Errc::bad_reply unless it is a list with a resource version.
[[nodiscard]] scalers::Result<ConfigMapList> parse_config_map_list(std::string_view reply);

struct WatchEvent {
  enum class Kind {
    changed,   // added or modified: `data`
    deleted,   // the ConfigMap is gone
    bookmark,  // nothing happened up to `resource_version`
    gone,      // what the watch began from is too old: list again
    error,     // anything else that ends the watch
  };
  Kind kind = Kind::error;
  std::string resource_version;
  ConfigMapData data;
};

// One line of a watch's answer. What is no event is Kind::error.
[[nodiscard]] WatchEvent parse_watch_event(std::string_view line);

// Cuts a stream into lines, which are bounded.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // The lines that `piece` completes, without their ends; empty ones are left out. nullopt: a line
  // is too long, and the stream is not to be used any more.
  [[nodiscard]] std::optional<std::vector<std::string>> take(std::string_view piece);

 private:
  std::size_t max_line_bytes_;
  std::string begun_;
};

}  // namespace weir::server::cluster
