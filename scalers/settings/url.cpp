// The urls of backends. Stricter than RFC 3986, because an operator's typing error is better
// reported when the configuration is loaded than as a failing connection.
#include "scalers/settings/url.hpp"

#include "scalers/text/utf8.hpp"

#include <boost/url/authority_view.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/grammar/delim_rule.hpp>
#include <boost/url/grammar/digit_chars.hpp>
#include <boost/url/grammar/lut_chars.hpp>
#include <boost/url/grammar/optional_rule.hpp>
#include <boost/url/grammar/parse.hpp>
#include <boost/url/grammar/token_rule.hpp>
#include <boost/url/grammar/tuple_rule.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/pchars.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>

namespace weir::scalers {
namespace {

namespace urls = boost::urls;

// The names of hosts: DNS has no underscore, but container networks permit one.
constexpr auto kNameChars = urls::grammar::alnum_chars + urls::grammar::lut_chars("-._");
// A path is written into the request as it is. Backends that decode it check the digits after %.
constexpr auto kPathChars = urls::pchars + urls::grammar::lut_chars("/%");

// A name or an IPv4 address, and the port. Not parse_authority(), which in Boost 1.81 refuses a
// name that begins with an address, such as 10.0.0.1.nip.io.
constexpr auto kNameAndPort =
    urls::grammar::tuple_rule(urls::grammar::token_rule(kNameChars),
                              urls::grammar::optional_rule(urls::grammar::tuple_rule(
                                  urls::grammar::squelch(urls::grammar::delim_rule(':')),
                                  urls::grammar::token_rule(urls::grammar::digit_chars))));

// Not port_number() of Boost.URL, which in Boost 1.81 is 34463 for 99999.
bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc{} && end == text.data() + text.size() && port != 0;
}

// Splits "host", "host:port", "[v6]" or "[v6]:port"; false for anything else.
bool split_authority(std::string_view text, Url& url) {
  if (!text.starts_with('[')) {
    const auto parsed = urls::grammar::parse(text, kNameAndPort);
    if (!parsed) return false;
    const auto& [host, port] = *parsed;
    url.host = host;
    return !port || parse_port(*port, url.port);
  }
  const auto parsed = urls::parse_authority(text);
  if (!parsed || parsed->host_type() != urls::host_type::ipv6) return false;
  url.host = std::string_view(parsed->encoded_host_address());
  return !parsed->has_port() || parse_port(parsed->port(), url.port);
}

// "a, b or c", each followed by `tail`.
std::string listed(std::span<const UrlScheme> schemes, std::string_view tail) {
  std::string out;
  for (std::size_t i = 0; i < schemes.size(); ++i) {
    if (i > 0) out += i + 1 == schemes.size() ? " or " : ", ";
    out += fmt::format("{}{}", schemes[i].name, tail);
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Url::authority() const {
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port)
                                     : fmt::format("[{}]:{}", host, port);
}

std::string Url::text() const { return fmt::format("{}://{}{}", scheme, authority(), path); }

std::variant<Url, UrlProblem> parse_url(std::string_view text, std::span<const UrlScheme> schemes) {
  const auto colon = text.find("://");
  Url url;
  // Schemes ignore the letter case (RFC 3986, section 3.1).
  url.scheme = lower_case(text.substr(0, colon == text.npos ? 0 : colon));
  const auto scheme = std::ranges::find(schemes, url.scheme, &UrlScheme::name);
  if (scheme == schemes.end()) {
    return UrlProblem{fmt::format("the url needs the scheme {}; write {}",
                                  listed(schemes, ""),
                                  listed(schemes, "://HOST:PORT"))};
  }
  url.port = scheme->port;
  const std::string_view rest = text.substr(colon + 3);
  // RFC 3986, section 3.2: each of the three ends the authority.
  const auto slash = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, slash);
  // No message repeats the url, because a url may contain a password.
  if (authority.find('@') != authority.npos) {
    return UrlProblem{
        "a url must not contain a user or password; write username: {file: PATH} and password: "
        "{file: PATH}, or url: {file: PATH} for a file with the whole url"};
  }
  if (!split_authority(authority, url)) {
    return UrlProblem{
        "the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets"};
  }
  const std::string_view path = slash == rest.npos ? std::string_view{} : rest.substr(slash);
  if (path.find_first_of("?#") != path.npos) {
    return UrlProblem{"a url must not have a query or fragment; write only the path",
                      path.find('?') != path.npos};
  }
  if (!std::ranges::all_of(path, kPathChars))
    return UrlProblem{"the url's path contains a byte that must be percent-encoded"};
  url.path = path;
  return url;
}

std::variant<Url, UrlProblem> parse_http_url(std::string_view text) {
  static constexpr std::array<UrlScheme, 2> kSchemes{{{"http", 80}, {"https", 443}}};
  auto parsed = parse_url(text, kSchemes);
  if (auto* url = std::get_if<Url>(&parsed)) {
    // npos + 1 is 0: a path of slashes alone becomes empty.
    url->path.resize(url->path.find_last_not_of('/') + 1);
  }
  return parsed;
}

std::optional<LoginUrl> split_login(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == text.npos) return LoginUrl{std::string(text), "", ""};
  const auto begin = scheme_end + 3;
  const std::string_view authority = text.substr(begin, text.find_first_of("/?#", begin) - begin);
  // The last one, because passwords are often written without an escape.
  const auto at = authority.rfind('@');
  if (at == authority.npos) {
    if (text.find('@', begin) != text.npos) return std::nullopt;
    return LoginUrl{std::string(text), "", ""};
  }
  const std::string_view login = authority.substr(0, at);
  const auto colon = login.find(':');
  const auto user = percent_decoded(login.substr(0, colon));
  const auto password =
      percent_decoded(colon == login.npos ? std::string_view{} : login.substr(colon + 1));
  if (!user || !password) return std::nullopt;
  std::string url(text.substr(0, begin));
  url += text.substr(begin + at + 1);
  return LoginUrl{std::move(url), *user, *password};
}

std::size_t shape_of(const LoginUrl& url) {
  const std::string parts = fmt::format("{} {}", url.user.empty(), url.password.empty());
  const std::size_t hash = std::hash<std::string>{}(url.url + ' ' + parts);
  return hash == 0 ? 1 : hash;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    // A plus is not decoded, because it is a space in forms only.
    const auto mark = text.find('%');
    out += text.substr(0, mark);
    if (mark == text.npos) return out;
    if (text.size() < mark + 3) return std::nullopt;
    const int high = hex_digit(text[mark + 1]);
    const int low = hex_digit(text[mark + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(mark + 3);
  }
}

std::string percent_encoded(std::string_view text) {
  return urls::encode(text, urls::unreserved_chars);
}

}  // namespace weir::scalers
