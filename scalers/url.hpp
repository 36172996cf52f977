// An http or https address from the configuration, taken apart and checked. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers {

struct Url {
  std::string scheme;      // lower case
  std::string host;        // a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 0;  // always set; the scheme's own when the text has none
  std::string path;        // without a trailing slash; empty for the root

  // "https://host:port/path", with brackets around an IPv6 address.
  [[nodiscard]] std::string text() const;
  // "host:port", with brackets around an IPv6 address.
  [[nodiscard]] std::string authority() const;
};

struct UrlProblem {
  std::string what;  // what is wrong and what to write instead
};

// Schemes other than http and https, user information, queries and fragments are refused.
[[nodiscard]] std::variant<Url, UrlProblem> parse_http_url(std::string_view text);

}  // namespace weir::scalers
