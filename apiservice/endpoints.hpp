// The table of non-resource endpoints: path, access, handler. The server adds its own rows (health,
// telemetry) to those of the prerendered documents. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

struct Endpoint {
  enum class Match : std::uint8_t {
    exact,       // the path alone
    with_slash,  // and with one trailing slash
    below,       // every path that starts with the path and a slash
  };
  enum class Access : std::uint8_t { anyone, authorized };

  std::string path;
  Match match = Match::exact;
  Access access = Access::authorized;
  std::function<Response(const Request&)> respond;
  std::string label;       // the path in telemetry
  std::string group = {};  // of a discovery document, likewise
  std::string version = {};

  [[nodiscard]] bool matches(std::string_view request_path) const {
    switch (match) {
      case Match::exact: return request_path == path;
      case Match::with_slash:
        return request_path == path ||
               (request_path.size() == path.size() + 1 && request_path.ends_with('/') &&
                request_path.starts_with(path));
      case Match::below:
        return request_path.size() > path.size() && request_path[path.size()] == '/' &&
               request_path.starts_with(path);
    }
    return false;
  }
};

using Endpoints = std::vector<Endpoint>;

}  // namespace weir::apiservice
