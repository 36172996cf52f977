// Keys of AWS: from files, temporary ones of a role by STS (IRSA), or those of the agent of EKS Pod
// Identity.
#pragma once

#include "scalers/clients/tokens/provider.hpp"
#include "scalers/clients/tokens/settings.hpp"
#include "scalers/clients/tokens/token_http.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weir::scalers::clients {

// The keys in a response of STS to AssumeRoleWithWebIdentity, which is XML. Errors as no_token().
[[nodiscard]] Result<Grant> parse_sts(const HttpReply& reply,
                                      std::span<const std::string> redactions,
                                      WallTime now);

// The keys in a response of the Pod Identity agent. Errors as no_token().
[[nodiscard]] Result<Grant> parse_agent(const HttpReply& reply,
                                        std::span<const std::string> redactions,
                                        WallTime now);

// "https://sts.eu-west-1.amazonaws.com": a request to the global endpoint would depend on
// us-east-1. The region is valid.
[[nodiscard]] Url regional_sts(std::string_view region);

// `http` and `clock` outlive the provider and its fetches.
[[nodiscard]] std::unique_ptr<Provider> make_aws(AwsAuth settings,
                                                 TokenHttp http,
                                                 const Clock& clock);

}  // namespace weir::scalers::clients
