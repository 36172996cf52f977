// TokenReview and SubjectAccessReview as JSON: what is asked, and what the answer says. Pure.
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
  std::optional<apiservice::UserInfo> caller;  // nullopt: the token is worth nothing
  std::string why;                             // the authenticator's words behind a refusal, if any
};

// `audiences` may be empty: those of the kube-apiserver.
[[nodiscard]] std::string token_review(const scalers::Secret& token,
                                       const std::vector<std::string>& audiences);
// Errc::bad_reply unless it is a TokenReview with a status. A token that is good for none of
// `audiences` is worth nothing; an answer that names none has checked them all.
[[nodiscard]] scalers::Result<TokenVerdict> parse_token_review(
    std::string_view reply,
    const std::vector<std::string>& audiences);

// The whole question. No selectors: without them the question is the wider one, so a "yes" to it is
// a "yes" to the narrower.
[[nodiscard]] std::string access_review(const apiservice::UserInfo& caller,
                                        const apiservice::RequestInfo& asked);
// What the answer to access_review() is kept under, made without making the question: its parts, or
// their digest when they are long. Two questions that differ in anything have two keys: each part
// stands behind its length.
[[nodiscard]] std::string access_key(const apiservice::UserInfo& caller,
                                     const apiservice::RequestInfo& asked);
// Errc::bad_reply unless it is a SubjectAccessReview with a status that allows, denies or does
// neither; one that does both is no answer.
[[nodiscard]] scalers::Result<apiservice::Decision> parse_access_review(std::string_view reply);

// The same of the account that asks.
[[nodiscard]] std::string self_access_review(const apiservice::RequestInfo& asked);
[[nodiscard]] scalers::Result<apiservice::Decision> parse_self_access_review(
    std::string_view reply);

}  // namespace weir::server::cluster
