// Tokens of Google: of the metadata server, whose node or pod has a service account, or by workload
// identity federation, with an assertion of another provider.
#pragma once

#include "scalers/clients/tokens/provider.hpp"
#include "scalers/clients/tokens/settings.hpp"
#include "scalers/clients/tokens/token_http.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/url.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace weir::scalers::clients {

class HttpClient;

// The file that `gcloud iam workload-identity-pools create-cred-config` writes.
struct Federation {
  std::string audience;
  std::string subject_token_type;
  Url token_url;
  SecretFile subject_token;
  std::string json_field;  // of subject_token; empty: the file is the token
  Url impersonation_url;   // without a host: none
};

// Errc::refused for another kind of file, and for urls without TLS, because both get a token.
[[nodiscard]] Result<Federation> parse_federation(std::string_view text);

// `http` and `clock` outlive the provider and its fetches.
[[nodiscard]] std::unique_ptr<Provider> make_google(GoogleAuth settings,
                                                    TokenHttp http,
                                                    const Clock& clock);

}  // namespace weir::scalers::clients
