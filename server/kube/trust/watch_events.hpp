// Parses a list and a watch of one ConfigMap: JSON documents, and the lines of a stream. Pure.
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
  std::string resource_version;       // where a watch continues
  std::optional<ConfigMapData> data;  // of the first item; nullopt: the list is empty
};

// Errc::bad_reply unless it is a list with a resource version.
[[nodiscard]] scalers::Result<ConfigMapList> parse_config_map_list(std::string_view reply);

struct WatchEvent {
  enum class Kind {
    changed,   // added or modified: `data`
    deleted,   // the ConfigMap is gone
    bookmark,  // nothing happened up to `resource_version`
    gone,      // the resource version of the watch is too old: list again
    error,     // anything else that ends the watch
  };
  Kind kind = Kind::error;
  std::string resource_version;
  ConfigMapData data;
};

// One line of the response to a watch. Anything that is not an event is Kind::error.
[[nodiscard]] WatchEvent parse_watch_event(std::string_view line);

// Splits a stream into lines of bounded length.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // The lines that `piece` completes, without line ends; empty lines are skipped. nullopt: a line
  // is too long, and the buffer must not be used again.
  [[nodiscard]] std::optional<std::vector<std::string>> take(std::string_view piece);

 private:
  std::size_t max_line_bytes_;
  std::string partial_line_;
};

}  // namespace weir::server::cluster
