// Reads the variables that commands take as defaults.
#include "server/commands/environment.hpp"

#include <algorithm>
#include <cstdlib>

namespace weir::server {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// In either spelling; an empty variable is one that is not set.
scalers::clients::ProxyVariable proxy_variable(const char* upper, const char* lower) {
  const char* name = variable(upper).empty() ? lower : upper;
  return {name, variable(name)};
}

}  // namespace

Environment read_environment() {
  return {.config = split_paths(variable("WEIR_CONFIG")),
          .kubeconfig = variable("KUBECONFIG"),
          .home = variable("HOME"),
          .kubernetes_service_host = variable("KUBERNETES_SERVICE_HOST"),
          .kubernetes_service_port = variable("KUBERNETES_SERVICE_PORT"),
          .proxies = {.http = proxy_variable("HTTP_PROXY", "http_proxy"),
                      .https = proxy_variable("HTTPS_PROXY", "https_proxy"),
                      .no_proxy = proxy_variable("NO_PROXY", "no_proxy"),
                      .is_cgi = !variable("REQUEST_METHOD").empty()}};
}

std::vector<std::string> split_paths(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(':', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace weir::server
