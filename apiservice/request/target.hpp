// Parses a request's target as Go's net/url does: decoded path, decoded query pairs. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {

struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

// nullopt when the target does not start with '/', its path holds a broken percent escape or a NUL,
// or its query a broken escape or a raw ';'. Go drops such a query pair; without the
// selector the response would be the value of another query. '+' in the query is a blank.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace weir::apiservice
