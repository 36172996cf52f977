// The setting `auth` of a backend: whom it gets short-lived credentials from. The platform's own
// variables complete it, so that a pod with a workload identity needs no more than its kind. Pure,
// but files that it names are read when the configuration is loaded.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"

#include <string>
#include <variant>
#include <vector>

namespace weir::scalers::clients {

// A url that Weir logs in at; without a host: not set.
struct EndpointUrl : Url {};
void read_value(const Node& node, EndpointUrl& out, Problems& problems);

// Requests are signed (Signature Version 4), with the first of these that is set: keys from files,
// a role by STS, the Pod Identity agent.
struct AwsAuth {
  std::string region;
  std::string service = "aps";
  SecretFile access_key_id;
  SecretFile secret_access_key;
  SecretFile session_token;       // not set: keys of a user
  std::string role_arn;           // with web_identity_token; empty: none
  SecretFile web_identity_token;  // a JWT
  std::string session_name = "weir";
  EndpointUrl sts_url;  // not set: the one of the region
  EndpointUrl credentials_url;
  SecretFile credentials_token;  // sent to credentials_url; may not be set
};

// A workload identity of Entra ID.
struct AzureAuth {
  std::string scope = "https://prometheus.monitor.azure.com/.default";
  std::string client_id;
  std::string tenant_id;
  SecretFile assertion;  // a JWT
  EndpointUrl authority;
};

struct GoogleAuth {
  std::string scope = "https://www.googleapis.com/auth/monitoring.read";
  SecretFile credentials;  // of workload identity federation; not set: the metadata server
  EndpointUrl metadata_url;
};

enum class SecretIn { header, body };

// Client credentials of OAuth 2.0; either client_secret or assertion is set.
struct OAuth2Auth {
  EndpointUrl token_url;
  std::string client_id;
  SecretFile client_secret;
  SecretIn secret_in = SecretIn::header;
  SecretFile assertion;  // a JWT
  std::string scope;
  std::string audience;
  TlsFiles tls;
};

struct AuthSettings {
  std::variant<std::monostate, AwsAuth, AzureAuth, GoogleAuth, OAuth2Auth> kind;
  // Why there are no credentials, for errors of reads; empty: there may be some.
  std::string missing;

  [[nodiscard]] bool is_set() const { return kind.index() != 0; }
};

void read_value(const Node& node, AuthSettings& out, Problems& problems);

// Adds what `variables` have and the settings at `node` have not. Problems of a missing identity
// are those of the backend alone, as those of missing files. `server` is the backend's own url.
void complete_auth(const Node& node,
                   const IdentityVariables& variables,
                   const Url& server,
                   AuthSettings& out,
                   Problems& problems);

// What works and is a risk, for `weir check`: a login that is sent without TLS to another machine.
// Of complete settings.
[[nodiscard]] std::vector<std::string> remarks_on(const AuthSettings& settings);

// The rows of all kinds, for `weir describe`: "auth.aws.region".
[[nodiscard]] std::vector<SettingDoc> auth_docs();

// Equal for equal settings. Holds names of files, not their contents.
[[nodiscard]] std::string key_of(const AuthSettings& settings);

}  // namespace weir::scalers::clients
