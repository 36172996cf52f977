#include "scalers/url.hpp"

#include "scalers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace weir::scalers {
namespace {

bool is_host_byte(char c, bool is_bracketed) {
  if (std::isalnum(static_cast<unsigned char>(c)) != 0) return true;
  return is_bracketed ? c == ':' || c == '.' || c == '%' : c == '-' || c == '.' || c == '_';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Takes "host", "host:port", "[v6]" or "[v6]:port" apart; false when it is none of them.
bool split_authority(std::string_view authority, Url& url) {
  const bool is_bracketed = authority.starts_with('[');
  std::string_view host;
  std::string_view rest;
  if (is_bracketed) {
    const auto close = authority.find(']');
    if (close == authority.npos) return false;
    host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    rest = authority.substr(host.size());
  }
  if (host.empty() ||
      !std::ranges::all_of(host, [&](char c) { return is_host_byte(c, is_bracketed); })) {
    return false;
  }
  url.host = host;
  if (rest.empty()) return true;
  const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
  if (port) url.port = *port;
  return port.has_value();
}

}  // namespace

std::string Url::authority() const {
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port)
                                     : fmt::format("[{}]:{}", host, port);
}

std::string Url::text() const { return fmt::format("{}://{}{}", scheme, authority(), path); }

std::variant<Url, UrlProblem> parse_http_url(std::string_view text) {
  const auto colon = text.find("://");
  Url url;
  url.scheme = lower_case(text.substr(0, colon == text.npos ? 0 : colon));
  if (url.scheme != "http" && url.scheme != "https") {
    return UrlProblem{
        "the url needs the scheme http or https; write http://HOST:PORT or https://HOST:PORT"};
  }
  url.port = url.scheme == "https" ? 443 : 80;
  const std::string_view rest = text.substr(colon + 3);
  const auto slash = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != authority.npos) {
    return UrlProblem{
        "a url holds no user or password; write username: {file: PATH} and password: {file: PATH}"};
  }
  if (!split_authority(authority, url)) {
    return UrlProblem{
        "the url has no valid HOST or HOST:PORT behind ://; an IPv6 address stands in brackets"};
  }
  const std::string_view path = slash == rest.npos ? std::string_view{} : rest.substr(slash);
  if (path.find_first_of("?#") != path.npos) {
    return UrlProblem{"a url has no query and no fragment; write only the path in front of /api"};
  }
  const bool is_plain = std::ranges::all_of(path, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\';
  });
  if (!is_plain) return UrlProblem{"the url's path holds a byte that has to be percent-encoded"};
  url.path = path.substr(0, path.find_last_not_of('/') + 1);
  return url;
}

}  // namespace weir::scalers
