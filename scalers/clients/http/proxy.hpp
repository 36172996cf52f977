// A forward proxy, as the settings or the environment name it. Pure.
#pragma once

#include "scalers/settings/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace weir::scalers::clients {

struct Proxy {
  std::string scheme;      // http, https or socks5, whose proxy looks up the names of servers
  std::string host;        // a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 0;  // always set
  std::optional<std::pair<Secret, Secret>> login = {};  // user and password; either may be empty
};

}  // namespace weir::scalers::clients
