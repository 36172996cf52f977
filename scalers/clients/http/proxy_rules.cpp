// The rules of Go's httpproxy, with two differences: a server that hands out credentials of a cloud
// is never asked through a proxy, and a variable that cannot be used is reported.
#include "scalers/clients/http/proxy_rules.hpp"

#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weir::scalers::clients {
namespace {

// The instance metadata of AWS, Azure and Google, and the agent of EKS Pod Identity. A proxy has
// its own at these addresses, whose credentials are those of the proxy's machine.
constexpr std::array<std::string_view, 5> kNeverProxied{"169.254.169.254",
                                                        "fd00:ec2::254",
                                                        "metadata.google.internal",
                                                        "169.254.170.23",
                                                        "fd00:ec2::23"};

bool is_loopback(const IpAddress& ip) {
  if (ip.is_v4) return ip.bytes[0] == 127;
  return ip == parse_ip("::1");
}

bool is_never_proxied(const std::string& host, const std::optional<IpAddress>& ip) {
  return std::ranges::any_of(kNeverProxied, [&](std::string_view never) {
    return ip ? parse_ip(never) == ip : host == never || host == fmt::format("{}.", never);
  });
}

}  // namespace

std::string ProxyChoice::text() const {
  if (reason.empty()) return "";
  return fmt::format("{} ({})", proxy ? proxy->text() : "none", reason);
}

ProxyRules::ProxyRules(const ProxyVariables& variables)
    : http_(read(variables.http)),
      https_(read(variables.https)),
      exceptions_variable_(variables.no_proxy.name),
      exceptions_(variables.no_proxy.value) {
  if (variables.is_cgi && http_.proxy) {
    // Go refuses each request instead, because a program may serve CGI requests; Weir never does.
    problems_.push_back(fmt::format(
        "{} is ignored because REQUEST_METHOD is set, as it is for a CGI program, whose callers "
        "can set HTTP_PROXY; remove REQUEST_METHOD from the environment",
        http_.variable));
    http_ = {};
  }
  for (const std::string& entry : exceptions_.unusable()) {
    problems_.push_back(fmt::format(
        "\"{}\" in {} matches no server; write names, addresses and networks with commas in "
        "between, such as .svc,10.0.0.0/8",
        entry,
        exceptions_variable_));
  }
}

ProxyRules::Source ProxyRules::read(const ProxyVariable& variable) {
  if (variable.value.empty()) return {};
  auto parsed = parse_proxy(variable.value);
  if (const auto* invalid = std::get_if<InvalidProxy>(&parsed)) {
    problems_.push_back(fmt::format("{} is ignored: {}", variable.name, invalid->what));
    return {};
  }
  return {variable.name, std::make_shared<const Proxy>(std::get<Proxy>(std::move(parsed)))};
}

ProxyChoice ProxyRules::choose(const Url& url) const {
  const bool is_https = url.scheme == "https";
  const Source& source = is_https ? https_ : http_;
  if (!source.proxy || (!is_https && url.scheme != "http")) return {};
  const std::string host = lower_case(url.host);
  const auto ip = parse_ip(host);
  if (host == "localhost" || (ip && is_loopback(*ip)))
    return {nullptr, "never used for localhost and loopback addresses"};
  if (is_never_proxied(host, ip)) return {nullptr, "never used for credentials of a cloud"};
  const std::string_view exception = exceptions_.match(url);
  if (!exception.empty())
    return {nullptr, fmt::format("{} in {}", exception, exceptions_variable_)};
  return {source.proxy, source.variable};
}

ProxyChoice ProxyRules::choose(const ProxySetting& setting, const Url& url) const {
  switch (setting.use) {
    case ProxySetting::Use::environment: return choose(url);
    case ProxySetting::Use::none: return {nullptr, "proxy: none of the backend"};
    case ProxySetting::Use::own: break;
  }
  const std::string host = lower_case(url.host);
  if (is_never_proxied(host, parse_ip(host)))
    return {nullptr, "never used for credentials of a cloud"};
  return {setting.proxy, "proxy of the backend"};
}

std::string ProxyRules::text() const {
  std::string out;
  for (const Source* source : {&http_, &https_}) {
    if (source->proxy)
      out +=
          fmt::format("{}{} {}", out.empty() ? "" : ", ", source->variable, source->proxy->text());
  }
  return out;
}

}  // namespace weir::scalers::clients
