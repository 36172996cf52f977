// The url of a server in the configuration, parsed and validated. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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
  std::string what;        // what is wrong and what to write instead
  bool has_query = false;  // the problem is a query after the path
};

struct UrlScheme {
  std::string_view name;
  std::uint16_t port;  // when the text has none
};

// Other schemes, user information, queries and fragments are rejected. The path is kept as written.
[[nodiscard]] std::variant<Url, UrlProblem> parse_url(std::string_view text,
                                                      std::span<const UrlScheme> schemes);

// http and https, without the path's trailing slashes.
[[nodiscard]] std::variant<Url, UrlProblem> parse_http_url(std::string_view text);

// A url of a file, apart from the user and the password in front of its host.
struct LoginUrl {
  std::string url;
  std::string user;      // percent-decoded; empty: none
  std::string password;  // percent-decoded; empty: none
};
// nullopt when the user or the password has a broken %XX, or one of / ? # without an escape, which
// would make a part of the password a path and the user a host.
[[nodiscard]] std::optional<LoginUrl> split_login(std::string_view text);

inline constexpr std::string_view kInvalidLogin =
    "the user or the password has an invalid % escape, or one of / ? # without one; write %2F %3F "
    "%23";

// A hash that does not depend on the user and the password, but on whether there are any; never 0.
// Another shape needs another backend.
[[nodiscard]] std::size_t shape_of(const LoginUrl& url);

// `text` with every %XX decoded; nullopt when one is broken.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// `text` percent-encoded for one path segment, a query or a form: all but letters, digits and
// "-._~".
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace weir::scalers
