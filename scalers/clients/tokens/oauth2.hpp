// Tokens of OAuth 2.0 by client credentials (RFC 6749, section 4.4), with a secret or with an
// assertion (RFC 7523): any provider of OpenID Connect, and Entra ID.
#pragma once

#include "scalers/clients/tokens/provider.hpp"
#include "scalers/clients/tokens/settings.hpp"
#include "scalers/clients/tokens/token_http.hpp"

#include <memory>

namespace weir::scalers::clients {

class HttpClient;

// `http` and `clock` outlive the provider and its fetches.
[[nodiscard]] std::unique_ptr<Provider> make_oauth2(OAuth2Auth settings,
                                                    TokenHttp http,
                                                    const Clock& clock);
[[nodiscard]] std::unique_ptr<Provider> make_azure(const AzureAuth& settings,
                                                   TokenHttp http,
                                                   const Clock& clock);

}  // namespace weir::scalers::clients
