// The tables of the four kinds. What the variables add is in complete.cpp.
#include "scalers/clients/tokens/settings.hpp"

#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/value_readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::scalers {

template <>
struct EnumNames<clients::SecretIn> {
  static constexpr std::string_view kTypeName = "header | body";
  static constexpr std::array<std::pair<std::string_view, clients::SecretIn>, 2> kNames{
      {{"header", clients::SecretIn::header}, {"body", clients::SecretIn::body}}};
};

namespace clients {
namespace {

constexpr std::array kAwsTable{
    setting<&AwsAuth::region>("region", "required: region of the workspace, as in its url"),
    setting<&AwsAuth::service>("service", "service that signatures are for"),
    setting<&AwsAuth::access_key_id>("accessKeyId",
                                     "file with the id of an access key; requires secretAccessKey"),
    setting<&AwsAuth::secret_access_key>(
        "secretAccessKey",
        "file with the secret of an access key; requires accessKeyId"),
    setting<&AwsAuth::session_token>("sessionToken", "file with the token of temporary keys"),
    setting<&AwsAuth::role_arn>(
        "roleArn",
        "role that STS gives the keys of; off: the variable AWS_ROLE_ARN of the pod"),
    setting<&AwsAuth::web_identity_token>(
        "webIdentityToken",
        "file with the JWT for STS; off: the variable AWS_WEB_IDENTITY_TOKEN_FILE"),
    setting<&AwsAuth::sts_url>("stsUrl", "url of STS; off: that of the region"),
};

constexpr std::array kAzureTable{
    setting<&AzureAuth::scope>("scope", "scope of the token"),
    setting<&AzureAuth::client_id>("clientId",
                                   "id of the application; off: the variable AZURE_CLIENT_ID"),
    setting<&AzureAuth::tenant_id>("tenantId",
                                   "id of the tenant; off: the variable AZURE_TENANT_ID"),
    setting<&AzureAuth::assertion>(
        "assertion",
        "file with the JWT for Entra ID; off: the variable AZURE_FEDERATED_TOKEN_FILE"),
    setting<&AzureAuth::authority>(
        "authority",
        "url of Entra ID; off: the variable AZURE_AUTHORITY_HOST, or that of the public cloud"),
};

constexpr std::array kGoogleTable{
    setting<&GoogleAuth::scope>("scope", "scope of the token"),
    setting<&GoogleAuth::credentials>("credentials",
                                      "file of workload identity federation; off: the variable "
                                      "GOOGLE_APPLICATION_CREDENTIALS, and "
                                      "without it the metadata server"),
};

constexpr std::array kOAuth2Table{
    required_setting<&OAuth2Auth::token_url>("tokenUrl", "url of the token endpoint"),
    setting<&OAuth2Auth::client_id>("clientId", "id of the client; required with clientSecret"),
    setting<&OAuth2Auth::client_secret>("clientSecret", "file with the client's secret"),
    setting<&OAuth2Auth::secret_in>("secretIn",
                                    "where clientSecret is sent: HTTP Basic, or the form"),
    setting<&OAuth2Auth::assertion>("assertion", "file with a JWT in place of clientSecret"),
    setting<&OAuth2Auth::scope>("scope", "scopes with blanks in between"),
    setting<&OAuth2Auth::audience>("audience", "audience of the token"),
    setting<&OAuth2Auth::tls>("tls", "ca, certificate and key for tokenUrl"),
};

// The rows' names in the documentation of the backend.
constexpr std::array<std::string_view, kAwsTable.size()> kAwsNames{"auth.aws.region",
                                                                   "auth.aws.service",
                                                                   "auth.aws.accessKeyId",
                                                                   "auth.aws.secretAccessKey",
                                                                   "auth.aws.sessionToken",
                                                                   "auth.aws.roleArn",
                                                                   "auth.aws.webIdentityToken",
                                                                   "auth.aws.stsUrl"};
constexpr std::array<std::string_view, kAzureTable.size()> kAzureNames{"auth.azure.scope",
                                                                       "auth.azure.clientId",
                                                                       "auth.azure.tenantId",
                                                                       "auth.azure.assertion",
                                                                       "auth.azure.authority"};
constexpr std::array<std::string_view, kGoogleTable.size()> kGoogleNames{"auth.google.scope",
                                                                         "auth.google.credentials"};
constexpr std::array<std::string_view, kOAuth2Table.size()> kOAuth2Names{"auth.oauth2.tokenUrl",
                                                                         "auth.oauth2.clientId",
                                                                         "auth.oauth2.clientSecret",
                                                                         "auth.oauth2.secretIn",
                                                                         "auth.oauth2.assertion",
                                                                         "auth.oauth2.scope",
                                                                         "auth.oauth2.audience",
                                                                         "auth.oauth2.tls"};

template <class Table, class Names>
consteval bool are_names_of(const Table& table, const Names& names) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (!names[i].ends_with(table[i].name)) return false;
  }
  return true;
}
static_assert(are_names_of(kAwsTable, kAwsNames));
static_assert(are_names_of(kAzureTable, kAzureNames));
static_assert(are_names_of(kGoogleTable, kGoogleNames));
static_assert(are_names_of(kOAuth2Table, kOAuth2Names));

template <class Table, class Names>
void append_docs(std::vector<SettingDoc>& out, const Table& table, const Names& names) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    out.push_back(table[i]);
    out.back().name = names[i];
  }
}

// They become a part of a host's name and of the signature's scope.
bool is_label(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
  });
}

void check(const Node& node, const AwsAuth& aws, Problems& problems) {
  if (node.find("region") == nullptr) {
    problems.add(node.mark,
                 "aws needs the region of the workspace; write region: eu-west-1, as in its url");
  }
  for (const auto& [key, text] : {std::pair{"region", &aws.region}, {"service", &aws.service}}) {
    if (!is_label(*text))
      problems.add(node.find(key)->mark,
                   fmt::format("\"{}\" is not a valid {}; write it as in eu-west-1", *text, key));
  }
  const bool has_keys = aws.access_key_id.is_set() || aws.secret_access_key.is_set();
  if (aws.access_key_id.is_set() != aws.secret_access_key.is_set())
    problems.add(node.mark, "accessKeyId and secretAccessKey go together; write both or neither");
  if (aws.session_token.is_set() && !has_keys)
    problems.add(node.mark, "sessionToken belongs to accessKeyId and secretAccessKey; write them");
  if (has_keys && (!aws.role_arn.empty() || aws.web_identity_token.is_set())) {
    problems.add(node.mark, "aws has keys and a role (roleArn, webIdentityToken); keep one");
  }
}

void check(const Node& node, const OAuth2Auth& oauth2, Problems& problems) {
  if (oauth2.client_secret.is_set() == oauth2.assertion.is_set()) {
    problems.add(node.mark,
                 oauth2.assertion.is_set()
                     ? "clientSecret and assertion are mutually exclusive; keep one"
                     : "oauth2 needs clientSecret: {file: PATH}, or assertion: {file: PATH}");
  }
  if (oauth2.client_secret.is_set() && oauth2.client_id.empty())
    problems.add(node.mark, "clientSecret needs clientId; write both");
}

template <class Auth, class Table>
void read_kind(const Node& node,
               const Table& table,
               std::string_view what,
               AuthSettings& out,
               Problems& problems) {
  auto& settings = out.kind.emplace<Auth>();
  read_settings(node, table, what, settings, problems);
  // A block that is not a map has been reported.
  if (node.kind != Node::Kind::map) return;
  if constexpr (requires { check(node, settings, problems); }) check(node, settings, problems);
  for (const char* key : {"webIdentityToken", "assertion"}) {
    if (const Node* file = node.find(key)) check_assertion_file(*file, problems);
  }
}

}  // namespace

void read_value(const Node& node, EndpointUrl& out, Problems& problems) {
  std::string text;
  scalers::read_value(node, text, problems);
  if (text.empty()) return;
  auto parsed = parse_http_url(text);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    return problems.add(
        node.mark,
        problem->has_query ? "the url of a login must not have a query; remove it" : problem->what);
  }
  static_cast<Url&>(out) = std::get<Url>(std::move(parsed));
}

void read_value(const Node& node, AuthSettings& out, Problems& problems) {
  static constexpr std::string_view kKinds = "aws, azure, google and oauth2";
  if (node.kind != Node::Kind::map) {
    return problems.add(node.mark,
                        fmt::format("expected a map with one of {}, such as auth: {{aws: {{region: "
                                    "eu-west-1}}}}; {}",
                                    kKinds,
                                    found_text(node)));
  }
  if (node.fields.empty())
    return problems.add(node.mark, fmt::format("auth needs one of {}", kKinds));
  for (const Node::Field& field : node.fields) {
    if (&field != &node.fields.front()) {
      problems.add(
          field.mark,
          fmt::format("auth has {} and {}; keep one of them", node.fields.front().key, field.key));
    } else if (field.key == "aws") {
      read_kind<AwsAuth>(field.value, kAwsTable, "block aws of auth", out, problems);
    } else if (field.key == "azure") {
      read_kind<AzureAuth>(field.value, kAzureTable, "block azure of auth", out, problems);
    } else if (field.key == "google") {
      read_kind<GoogleAuth>(field.value, kGoogleTable, "block google of auth", out, problems);
    } else if (field.key == "oauth2") {
      read_kind<OAuth2Auth>(field.value, kOAuth2Table, "block oauth2 of auth", out, problems);
    } else {
      problems.add(field.mark,
                   fmt::format("unknown key \"{}\" in auth; write one of {}", field.key, kKinds));
    }
  }
}

std::vector<SettingDoc> auth_docs() {
  std::vector<SettingDoc> out;
  append_docs(out, kAwsTable, kAwsNames);
  append_docs(out, kAzureTable, kAzureNames);
  append_docs(out, kGoogleTable, kGoogleNames);
  append_docs(out, kOAuth2Table, kOAuth2Names);
  return out;
}

}  // namespace clients
}  // namespace weir::scalers
