// The one table of what is answered outside of resources: path, who may ask, handler. The server
// adds its own rows (health, telemetry) to those of the prerendered documents. Pure.
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
    below,       // what is below the path: it and a slash, and whatever follows
  };
  enum class Access : std::uint8_t { anyone, authorized };

  std::string path;
  Match match = Match::exact;
  Access access = Access::authorized;
  std::function<Response(const Request&)> respond;
  std::string label;       // the path that telemetry counts it under
  std::string group = {};  // of a discovery document, likewise
  std::string version = {};

  [[nodiscard]] bool matches(std::string_view asked) const {
    switch (match) {
      case Match::exact: return asked == path;
      case Match::with_slash:
        return asked == path ||
               (asked.size() == path.size() + 1 && asked.ends_with('/') && asked.starts_with(path));
      case Match::below:
        return asked.size() > path.size() && asked[path.size()] == '/' && asked.starts_with(path);
    }
    return false;
  }
};

using Endpoints = std::vector<Endpoint>;

}  // namespace weir::apiservice
