// What the variables of a pod's environment add to `auth`, and where an identity may come from.
#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/clients/tokens/settings.hpp"
#include "scalers/settings/value_readers.hpp"
#include "scalers/text/key_writer.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace weir::scalers::clients {
namespace {

constexpr std::string_view kEntra = "https://login.microsoftonline.com";
// By its address, because a name server must not say where the token comes from.
constexpr std::string_view kMetadata = "http://169.254.169.254";

// One completion: where its problems are, and where they are collected.
class Completion {
 public:
  Completion(const Node& node, Problems& problems) : node_(node), problems_(problems) {}

  // What is missing for a login at all: a problem of the backend alone, because other machines
  // than the pod's have no such variables.
  [[nodiscard]] std::string missing(std::string what) const {
    problems_.add_in_file(node_.mark, what);
    return what;
  }
  // The file that a variable names, as if a setting did.
  void read_file(const std::string& path, SecretFile& out, bool is_assertion) const {
    Node name{Node::Kind::scalar, path, false, {}, {}, node_.mark};
    const Node setting{Node::Kind::map,
                       "",
                       false,
                       {},
                       {{"file", node_.mark, std::move(name)}},
                       node_.mark};
    scalers::read_value(setting, out, problems_);
    if (is_assertion) check_assertion_file(setting, problems_);
  }
  // The url of a variable; an empty one is `otherwise`. The problem; empty: none.
  [[nodiscard]] static std::string read_url(std::string_view variable,
                                            std::string_view text,
                                            EndpointUrl& out) {
    auto parsed = parse_http_url(text);
    if (const auto* problem = std::get_if<UrlProblem>(&parsed))
      return fmt::format("the variable {} is not a valid url: {}", variable, problem->what);
    static_cast<Url&>(out) = std::get<Url>(std::move(parsed));
    return {};
  }

 private:
  const Node& node_;
  Problems& problems_;
};

// The hosts of the agents of EKS and ECS, and the pod itself: a url from elsewhere must not get
// the token, which is sent without TLS.
bool is_local_agent(const Url& url) {
  static constexpr std::array<std::string_view, 5> kHosts{"169.254.170.2",
                                                          "169.254.170.23",
                                                          "fd00:ec2::23",
                                                          "localhost",
                                                          "::1"};
  const bool is_loopback =
      url.host.starts_with("127.") && url.host.find_first_not_of("0123456789.") == url.host.npos;
  return url.scheme == "https" || is_loopback ||
         std::ranges::find(kHosts, url.host) != kHosts.end();
}

// Temporary keys by the identity that EKS gives the pod.
std::string complete(const Completion& completion,
                     const IdentityVariables& variables,
                     AwsAuth& out) {
  if (out.access_key_id.is_set()) return {};
  if (out.role_arn.empty()) out.role_arn = variables.aws_role_arn;
  // Settings for STS alone: the agent would give another identity than the meant one.
  const bool has_token = out.web_identity_token.is_set();
  if (out.role_arn.empty() && (has_token || !out.sts_url.host.empty())) {
    return completion.missing(
        fmt::format("{} needs a role: write roleArn, or let the pod have AWS_ROLE_ARN",
                    has_token ? "webIdentityToken" : "stsUrl"));
  }
  if (!variables.aws_role_session_name.empty()) out.session_name = variables.aws_role_session_name;
  if (!out.web_identity_token.is_set() && !variables.aws_web_identity_token_file.empty())
    completion.read_file(variables.aws_web_identity_token_file, out.web_identity_token, true);
  if (!out.role_arn.empty() && out.web_identity_token.is_set()) return {};
  if (!out.role_arn.empty()) {
    return completion.missing(
        "roleArn needs a token for STS: write webIdentityToken: {file: PATH}, or let the pod have "
        "AWS_WEB_IDENTITY_TOKEN_FILE (IRSA)");
  }
  if (variables.aws_container_credentials_full_uri.empty()) {
    return completion.missing(
        "aws has no credentials: the pod has no AWS_CONTAINER_CREDENTIALS_FULL_URI (Pod Identity) "
        "and no AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE (IRSA); give its service account an "
        "identity, or write accessKeyId and secretAccessKey");
  }
  if (auto problem = Completion::read_url("AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                          variables.aws_container_credentials_full_uri,
                                          out.credentials_url);
      !problem.empty()) {
    return completion.missing(std::move(problem));
  }
  if (!is_local_agent(out.credentials_url)) {
    return completion.missing(
        "the variable AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor the address of "
        "an agent (169.254.170.23, [fd00:ec2::23], 169.254.170.2, loopback), so it gets no token");
  }
  if (!variables.aws_container_authorization_token_file.empty()) {
    completion.read_file(variables.aws_container_authorization_token_file,
                         out.credentials_token,
                         true);
  }
  return {};
}

std::string complete(const Completion& completion,
                     const IdentityVariables& variables,
                     AzureAuth& out) {
  if (out.client_id.empty()) out.client_id = variables.azure_client_id;
  if (out.tenant_id.empty()) out.tenant_id = variables.azure_tenant_id;
  if (!out.assertion.is_set() && !variables.azure_federated_token_file.empty())
    completion.read_file(variables.azure_federated_token_file, out.assertion, true);
  std::string missing;
  for (const auto& [is_missing, names] :
       {std::pair{out.client_id.empty(), "clientId (AZURE_CLIENT_ID)"},
        std::pair{out.tenant_id.empty(), "tenantId (AZURE_TENANT_ID)"},
        std::pair{!out.assertion.is_set(), "assertion (AZURE_FEDERATED_TOKEN_FILE)"}}) {
    if (is_missing) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", names);
  }
  if (!missing.empty()) {
    return completion.missing(
        fmt::format("azure has no workload identity, because there is no {}; label the pod "
                    "azure.workload.identity/use: \"true\", or write the settings",
                    missing));
  }
  if (!out.authority.host.empty()) return {};
  const bool is_variable = !variables.azure_authority_host.empty();
  auto problem = Completion::read_url("AZURE_AUTHORITY_HOST",
                                      is_variable ? variables.azure_authority_host : kEntra,
                                      out.authority);
  return problem.empty() ? problem : completion.missing(std::move(problem));
}

std::string complete(const Completion& completion,
                     const IdentityVariables& variables,
                     GoogleAuth& out) {
  if (!out.credentials.is_set() && !variables.google_application_credentials.empty())
    completion.read_file(variables.google_application_credentials, out.credentials, false);
  const bool is_variable = !variables.gce_metadata_host.empty();
  auto problem = Completion::read_url(
      "GCE_METADATA_HOST",
      is_variable ? "http://" + variables.gce_metadata_host : std::string(kMetadata),
      out.metadata_url);
  return problem.empty() ? problem : completion.missing(std::move(problem));
}

// The region in the name of an endpoint of AWS; empty: it has none.
std::string region_of(const Url& server) {
  static constexpr std::string_view kEndpoint =
      R"(.*\.([a-z]{2}(?:-[a-z]+)+-\d+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?)";
  std::string region;
  RE2::FullMatch(server.host, RE2(re2::StringPiece(kEndpoint.data(), kEndpoint.size())), &region);
  return region;
}

void add_file(KeyWriter& key, const SecretFile& file) { key.add(file.path()); }

void add(KeyWriter& key, const AwsAuth& auth) {
  for (const std::string& text : {auth.region,
                                  auth.service,
                                  auth.role_arn,
                                  auth.session_name,
                                  auth.sts_url.text(),
                                  auth.credentials_url.text()}) {
    key.add(text);
  }
  add_file(key, auth.access_key_id);
  add_file(key, auth.secret_access_key);
  add_file(key, auth.session_token);
  add_file(key, auth.web_identity_token);
  add_file(key, auth.credentials_token);
}

void add(KeyWriter& key, const AzureAuth& auth) {
  for (const std::string& text :
       {auth.scope, auth.client_id, auth.tenant_id, auth.authority.text()}) {
    key.add(text);
  }
  add_file(key, auth.assertion);
}

void add(KeyWriter& key, const GoogleAuth& auth) {
  key.add(auth.scope);
  key.add(auth.metadata_url.text());
  add_file(key, auth.credentials);
}

void add(KeyWriter& key, const OAuth2Auth& auth) {
  for (const std::string& text :
       {auth.token_url.text(), auth.client_id, auth.scope, auth.audience}) {
    key.add(text);
  }
  add_file(key, auth.client_secret);
  add_file(key, auth.assertion);
  key.add(static_cast<std::uint32_t>(auth.secret_in));
  for (const FilePath& file : {auth.tls.ca, auth.tls.certificate, auth.tls.key}) key.add(file.path);
}

}  // namespace

void complete_auth(const Node& node,
                   const IdentityVariables& variables,
                   const Url& server,
                   AuthSettings& out,
                   Problems& problems) {
  const Completion completion(node, problems);
  if (auto* aws = std::get_if<AwsAuth>(&out.kind)) {
    out.missing = complete(completion, variables, *aws);
    const std::string region = region_of(server);
    if (!region.empty() && !aws->region.empty() && region != aws->region) {
      problems.add(node.mark,
                   fmt::format("the url is in region {} and the signature for {}; write region: {}",
                               region,
                               aws->region,
                               region));
    }
  } else if (auto* azure = std::get_if<AzureAuth>(&out.kind)) {
    out.missing = complete(completion, variables, *azure);
  } else if (auto* google = std::get_if<GoogleAuth>(&out.kind)) {
    out.missing = complete(completion, variables, *google);
  }
}

std::vector<std::string> remarks_on(const AuthSettings& settings) {
  std::vector<std::string> out;
  const auto add = [&out](std::string_view setting, const Url& url, std::string_view what) {
    if (url.scheme != "http" || is_local_agent(url)) return;
    out.push_back(
        fmt::format("auth.{} is http://, so {} sent without TLS; write https://", setting, what));
  };
  if (const auto* aws = std::get_if<AwsAuth>(&settings.kind)) {
    add("aws.stsUrl", aws->sts_url, "the web identity token and the keys are");
  } else if (const auto* azure = std::get_if<AzureAuth>(&settings.kind)) {
    add("azure.authority", azure->authority, "the assertion and the token are");
  } else if (const auto* oauth2 = std::get_if<OAuth2Auth>(&settings.kind)) {
    add("oauth2.tokenUrl", oauth2->token_url, "the client's secret and the token are");
  }
  return out;
}

std::string key_of(const AuthSettings& settings) {
  KeyWriter key(256);
  key.add(static_cast<std::uint32_t>(settings.kind.index()));
  key.add(settings.missing);
  std::visit(
      [&](const auto& auth) {
        if constexpr (requires { add(key, auth); }) add(key, auth);
      },
      settings.kind);
  return std::move(key).take();
}

}  // namespace weir::scalers::clients
