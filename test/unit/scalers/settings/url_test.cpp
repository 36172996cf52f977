#include "scalers/settings/url.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers {
namespace {

struct Good {
  std::string_view name;
  std::string text;
  std::string whole;  // Url::text()
  std::string host;
  std::uint16_t port;
  std::string path;
};

struct Bad {
  std::string_view name;
  std::string text;
  std::string problem;
};

TEST_CASE("a url is split into its parts, and its port is always known") {
  const Good rows[] = {
      {"http", "http://prom", "http://prom:80", "prom", 80, ""},
      {"https", "https://prom", "https://prom:443", "prom", 443, ""},
      {"a port", "http://prom:9090", "http://prom:9090", "prom", 9090, ""},
      {"the last port", "http://prom:65535", "http://prom:65535", "prom", 65535, ""},
      {"a root", "http://prom/", "http://prom:80", "prom", 80, ""},
      {"a path", "http://prom/a/b", "http://prom:80/a/b", "prom", 80, "/a/b"},
      {"slashes last", "http://prom/a//", "http://prom:80/a", "prom", 80, "/a"},
      {"upper case scheme", "HTTPS://prom", "https://prom:443", "prom", 443, ""},
      {"an IPv4 address", "http://10.0.0.1:9090", "http://10.0.0.1:9090", "10.0.0.1", 9090, ""},
      {"a name that begins with an address",
       "http://10.0.0.1.nip.io:9090/a",
       "http://10.0.0.1.nip.io:9090/a",
       "10.0.0.1.nip.io",
       9090,
       "/a"},
      {"a name with a digit first", "http://1.2.3.4a", "http://1.2.3.4a:80", "1.2.3.4a", 80, ""},
      {"an IPv6 address", "http://[::1]", "http://[::1]:80", "::1", 80, ""},
      {"an IPv6 address and port",
       "http://[fd00::1]:9/x",
       "http://[fd00::1]:9/x",
       "fd00::1",
       9,
       "/x"},
      {"a service's name", "http://prom.ml.svc:1", "http://prom.ml.svc:1", "prom.ml.svc", 1, ""},
      {"an encoded path", "http://prom/a%20b", "http://prom:80/a%20b", "prom", 80, "/a%20b"},
  };

  for (const Good& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto parsed = parse_http_url(row.text);

      REQUIRE(std::holds_alternative<Url>(parsed));
      const Url& url = std::get<Url>(parsed);
      CHECK(url.text() == row.whole);
      CHECK(url.host == row.host);
      CHECK(url.port == row.port);
      CHECK(url.path == row.path);
    }
  }
}

TEST_CASE("an ambiguous url is an error that does not contain the url") {
  const std::string scheme =
      "the url needs the scheme http or https; write http://HOST:PORT or https://HOST:PORT";
  const std::string host =
      "the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets";
  const std::string user =
      "a url must not contain a user or password; write username: {file: PATH} and password: "
      "{file: PATH}, or url: {file: PATH} for a file with the whole url";
  const std::string query = "a url must not have a query or fragment; write only the path";
  const std::string byte = "the url's path contains a byte that must be percent-encoded";
  const Bad rows[] = {
      {"empty", "", scheme},
      {"no scheme", "prom:9090", scheme},
      {"a path alone", "/api", scheme},
      {"another scheme", "ftp://prom", scheme},
      {"a file", "file:///etc/passwd", scheme},
      {"one slash", "http:/prom", scheme},
      {"blanks in front", " http://prom", scheme},
      {"no host", "http://", host},
      {"no host but a path", "http:///x", host},
      {"no host but a port", "http://:80", host},
      {"no port after the colon", "http://prom:", host},
      {"port 0", "http://prom:0", host},
      {"port 99999", "http://prom:99999", host},
      {"port 65536", "http://prom:65536", host},
      {"a negative port", "http://prom:-1", host},
      {"a port with a plus", "http://prom:+80", host},
      {"a named port", "http://prom:web", host},
      {"an IPv6 address without brackets", "http://::1", host},
      {"an open bracket", "http://[::1", host},
      {"text after the bracket", "http://[::1]x", host},
      {"empty brackets", "http://[]", host},
      {"a name in brackets", "http://[example]", host},
      {"a name of hexadecimal digits in brackets", "http://[cafe]", host},
      {"a name and a colon in brackets", "http://[example:1]", host},
      {"two groups in brackets", "http://[1:2]", host},
      {"an address of a future version", "http://[v1.a:b]", host},
      {"two ports", "http://prom:80:90", host},
      {"an escape in the host", "http://pr%6Fm", host},
      {"a blank in the host", "http://pr om", host},
      {"a line end in the host", "http://prom\r\nHost: x", host},
      {"a parameter in the host", "http://$(namespace)", host},
      {"a backslash", "http://prom\\x", host},
      {"a user", "http://me@prom", user},
      {"a user and a password", "https://me:s3cret@prom:9090/x", user},
      {"an empty user", "http://@prom", user},
      {"a query", "http://prom/x?a=b", query},
      {"a query without a path", "http://prom?a=b", query},
      {"a fragment", "http://prom/#x", query},
      {"a blank in the path", "http://prom/a b", byte},
      {"a line end in the path", "http://prom/a\nb", byte},
      {"a quote in the path", "http://prom/\"", byte},
      {"a brace in the path", "http://prom/{x}", byte},
      {"UTF-8 in the path", "http://prom/\u00e9", byte},
  };

  for (const Bad& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto parsed = parse_http_url(row.text);

      REQUIRE(std::holds_alternative<UrlProblem>(parsed));
      CHECK(std::get<UrlProblem>(parsed).what == row.problem);
    }
  }
}

}  // namespace
}  // namespace weir::scalers
