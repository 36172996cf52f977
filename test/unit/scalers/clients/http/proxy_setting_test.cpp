#include "scalers/clients/http/proxy.hpp"
#include "scalers/settings/url.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace weir::scalers::clients {
namespace {

// "scheme host port", and the login when there is one.
std::string parts_of(const Proxy& proxy) {
  std::string out = proxy.scheme + ' ' + proxy.host + ' ' + std::to_string(proxy.port);
  if (proxy.login)
    out += " <" + proxy.login->first.reveal() + "> <" + proxy.login->second.reveal() + ">";
  return out;
}

std::string parsed(std::string_view text) {
  const auto proxy = parse_proxy(text);
  if (const auto* invalid = std::get_if<InvalidProxy>(&proxy)) return invalid->what;
  return parts_of(std::get<Proxy>(proxy));
}

std::string read(std::string_view text) {
  Problems problems;
  ProxySetting setting;
  read_value(test::node(text), setting, problems);
  if (!problems.empty()) return problems.lines().front();
  switch (setting.use) {
    case ProxySetting::Use::environment: return "environment";
    case ProxySetting::Use::none: return "none";
    case ProxySetting::Use::own: break;
  }
  return parts_of(*setting.proxy);
}

struct Row {
  std::string_view name;
  std::string_view text;
  std::string_view parts;
};

TEST_CASE("a proxy of the environment is written as Go programs read it") {
  const Row rows[] = {
      {"a url", "http://proxy:3128", "http proxy 3128"},
      {"no scheme", "proxy:3128", "http proxy 3128"},
      {"a name alone", "proxy", "http proxy 80"},
      {"an address alone", "10.0.0.1", "http 10.0.0.1 80"},
      {"an address and a port", "10.0.0.1:3128", "http 10.0.0.1 3128"},
      {"an IPv6 address", "[fd00::1]:3128", "http fd00::1 3128"},
      {"upper case", "HTTP://Proxy:3128", "http Proxy 3128"},
      {"the port of http", "http://proxy", "http proxy 80"},
      {"the port of https", "https://proxy", "https proxy 443"},
      {"the port of socks5", "socks5://proxy", "socks5 proxy 1080"},
      {"socks5h, which is socks5 in Go", "socks5h://proxy:99", "socks5 proxy 99"},
      {"an empty port", "http://proxy:", "http proxy 80"},
      {"a root", "https://proxy:8443/", "https proxy 8443"},
      {"a path, a query, a fragment", "http://proxy:3128/a?b#c", "http proxy 3128"},
      {"an underscore", "http://proxy_1:3128", "http proxy_1 3128"},
      {"a login", "http://user:pass@proxy:3128", "http proxy 3128 <user> <pass>"},
      {"a login without a scheme", "user:pass@proxy:3128", "http proxy 3128 <user> <pass>"},
      {"a user alone", "http://user@proxy:3128", "http proxy 3128 <user> <>"},
      {"a password alone", "http://:pass@proxy:3128", "http proxy 3128 <> <pass>"},
      {"neither", "http://@proxy:3128", "http proxy 3128 <> <>"},
      {"escapes", "http://us%40er:p%3Ass@proxy:3128", "http proxy 3128 <us@er> <p:ss>"},
      {"a colon in the password", "http://user:p:ss@proxy", "http proxy 80 <user> <p:ss>"},
      {"an @ in the password", "http://user:p@ss@proxy", "http proxy 80 <user> <p@ss>"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(parsed(row.text) == row.parts); }
  }
}

TEST_CASE("a proxy that cannot be used is an error without its text") {
  const std::string_view scheme =
      "the url needs the scheme http, https, socks5 or socks5h; write http://HOST:PORT, "
      "https://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT";
  const std::string_view host =
      "the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets";
  const Row rows[] = {
      {"another scheme", "ftp://proxy:21", scheme},
      {"no scheme before ://", "://proxy", scheme},
      {"blanks in front", " http://proxy:3128", scheme},
      {"no host", "http://", host},
      {"a blank at the end", "http://proxy:3128 ", host},
      {"a line end", "http://proxy:3128\n", host},
      {"slashes in front", "//proxy:3128", host},
      {"no slashes", "http:proxy:3128", host},
      {"a port that is no number", "http://proxy:abc", host},
      {"a port that is too large", "http://proxy:99999", host},
      {"port 0", "http://proxy:0", host},
      {"letters beyond ASCII", "http://prox\xc3\xbf:3128", host},
      {"a broken escape", "http://user:p%zz@proxy:3128", kInvalidLogin},
      {"a slash in the password", "http://user:p/ss@proxy:3128", kInvalidLogin},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(parsed(row.text) == row.parts); }
  }
}

TEST_CASE("the text of a proxy has no login") {
  CHECK(std::get<Proxy>(parse_proxy("https://user:pass@[fd00::1]")).text() ==
        "https://***@[fd00::1]:443");
  CHECK(std::get<Proxy>(parse_proxy("proxy")).text() == "http://proxy:80");
}

TEST_CASE("the setting proxy is a url or none") {
  const Row rows[] = {
      {"none", "none", "none"},
      {"a url", "'http://proxy:3128'", "http proxy 3128"},
      {"https", "'https://proxy/'", "https proxy 443"},
      {"socks5", "'socks5://127.0.0.1'", "socks5 127.0.0.1 1080"},
      {"no scheme",
       "'proxy:3128'",
       "t.yaml:1:1: proxy: the url needs the scheme http, https, socks5 or socks5h; write "
       "http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT"},
      {"a path",
       "'http://proxy:3128/a'",
       "t.yaml:1:1: the url of a proxy has no path; write only http://HOST:PORT"},
      {"a login",
       "'http://user:pass@proxy:3128'",
       "t.yaml:1:1: the url of a proxy must not contain a user or password; set the environment "
       "variable HTTP_PROXY or HTTPS_PROXY from a Secret instead, whose url may have "
       "USER:PASSWORD@"},
      {"no value",
       "~",
       "t.yaml:1:1: expected the url of a proxy, such as http://proxy:3128, or none; found "
       "nothing"},
      {"a file",
       "{file: /etc/proxy}",
       "t.yaml:1:1: expected the url of a proxy, such as http://proxy:3128, or none; found a map"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(read(row.text) == row.parts); }
  }
}

}  // namespace
}  // namespace weir::scalers::clients
