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

scalers::IdentityVariables read_identity() {
  return {
      .aws_role_arn = variable("AWS_ROLE_ARN"),
      .aws_web_identity_token_file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
      .aws_role_session_name = variable("AWS_ROLE_SESSION_NAME"),
      .aws_container_credentials_full_uri = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
      .aws_container_authorization_token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
      .azure_client_id = variable("AZURE_CLIENT_ID"),
      .azure_tenant_id = variable("AZURE_TENANT_ID"),
      .azure_federated_token_file = variable("AZURE_FEDERATED_TOKEN_FILE"),
      .azure_authority_host = variable("AZURE_AUTHORITY_HOST"),
      .google_application_credentials = variable("GOOGLE_APPLICATION_CREDENTIALS"),
      .gce_metadata_host = variable("GCE_METADATA_HOST"),
  };
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
          .identity = read_identity(),
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
