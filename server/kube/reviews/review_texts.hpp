// TokenReview and SubjectAccessReview as JSON: requests and responses. Pure.
#pragma once

#include "apiservice/auth/access.hpp"
#include "apiservice/auth/identity.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::cluster {

struct TokenVerdict {
  std::optional<apiservice::UserInfo> caller;  // nullopt: the token is not valid
  std::string reason;  // of the authenticator, for an invalid token; may be empty
};

// `audiences` may be empty: those of the kube-apiserver.
[[nodiscard]] std::string token_review(const scalers::Secret& token,
                                       const std::vector<std::string>& audiences);
// Errc::bad_reply unless it is a TokenReview with a status. A token that is valid for none of
// `audiences` is not valid; a response without audiences comes from an authenticator that does not
// know audiences.
[[nodiscard]] scalers::Result<TokenVerdict> parse_token_review(
    std::string_view reply,
    const std::vector<std::string>& audiences);

// The body of the review. It has no selectors: without them the review covers more, so an allowed
// review is also allowed with selectors.
[[nodiscard]] std::string access_review(const apiservice::UserInfo& caller,
                                        const apiservice::RequestInfo& attributes);
// The cache key of access_review(), built without the JSON: its parts, or their digest when they
// are long. Invariant: reviews that differ have different keys, because each part follows its
// length.
[[nodiscard]] std::string access_key(const apiservice::UserInfo& caller,
                                     const apiservice::RequestInfo& attributes);
// Errc::bad_reply unless it is a SubjectAccessReview with a status that allows, denies or does
// neither; a status with both is an error.
[[nodiscard]] scalers::Result<apiservice::Decision> parse_access_review(std::string_view reply);

// The same for the account of the caller.
[[nodiscard]] std::string self_access_review(const apiservice::RequestInfo& attributes);
[[nodiscard]] scalers::Result<apiservice::Decision> parse_self_access_review(
    std::string_view reply);

}  // namespace weir::server::cluster
