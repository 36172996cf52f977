// The texts of proxies. The environment's are read as leniently as Go reads them, those of the
// configuration as strictly as its other urls.
#include "scalers/clients/http/proxy.hpp"

#include "scalers/settings/url.hpp"
#include "scalers/settings/value_readers.hpp"

#include <fmt/format.h>

#include <array>

namespace weir::scalers::clients {
namespace {

constexpr std::array<UrlScheme, 4> kSchemes{
    {{"http", 80}, {"https", 443}, {"socks5", 1080}, {"socks5h", 1080}}};

Proxy proxy_at(const Url& url) {
  // Both spellings mean in Go what socks5h means in curl: the proxy looks up the names.
  return {url.scheme == "socks5h" ? "socks5" : url.scheme, url.host, url.port};
}

// Where the authority ends; the end of the text without a path.
std::size_t authority_end(std::string_view url) {
  const auto end = url.find_first_of("/?#", url.find("://") + 3);
  return end == url.npos ? url.size() : end;
}

}  // namespace

std::string Proxy::authority() const { return Url{scheme, host, port, ""}.authority(); }

std::string Proxy::text() const {
  return fmt::format("{}://{}{}", scheme, login ? "***@" : "", authority());
}

std::variant<Proxy, InvalidProxy> parse_proxy(std::string_view text) {
  std::string whole(text);
  if (text.find("://") == text.npos) whole.insert(0, "http://");
  auto parts = split_login(whole);
  if (!parts) return InvalidProxy{std::string(kInvalidLogin)};
  const bool has_login = parts->url.size() < whole.size();
  parts->url.resize(authority_end(parts->url));
  // A port that is empty is the scheme's own (RFC 3986, section 3.2.3).
  if (parts->url.ends_with(':')) parts->url.pop_back();
  const auto parsed = parse_url(parts->url, kSchemes);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) return InvalidProxy{problem->what};
  Proxy out = proxy_at(std::get<Url>(parsed));
  if (has_login) out.login.emplace(std::move(parts->user), std::move(parts->password));
  return out;
}

void read_value(const Node& node, ProxySetting& out, Problems& problems) {
  if (node.kind != Node::Kind::scalar || node.text.empty()) {
    return problems.add(node.mark,
                        fmt::format("expected the url of a proxy, such as http://proxy:3128, or "
                                    "none; {}",
                                    found_text(node)));
  }
  if (node.text == "none") {
    out.use = ProxySetting::Use::none;
    return;
  }
  // No message repeats the url, because it may contain a password.
  const std::string_view text = node.text;
  const auto scheme_end = text.find("://");
  if (scheme_end != text.npos && text.substr(0, authority_end(text)).find('@') != text.npos) {
    return problems.add(node.mark,
                        "the url of a proxy must not contain a user or password; set the "
                        "environment variable HTTP_PROXY or HTTPS_PROXY from a Secret instead, "
                        "whose url may have USER:PASSWORD@");
  }
  const auto parsed = parse_url(text, kSchemes);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    return problems.add(node.mark, "proxy: " + problem->what);
  }
  const Url& url = std::get<Url>(parsed);
  if (url.path.find_first_not_of('/') != url.path.npos) {
    return problems.add(node.mark, "the url of a proxy has no path; write only http://HOST:PORT");
  }
  out.use = ProxySetting::Use::own;
  out.proxy = std::make_shared<const Proxy>(proxy_at(url));
}

}  // namespace weir::scalers::clients
