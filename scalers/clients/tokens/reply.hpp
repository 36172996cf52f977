// The replies of token endpoints: a token, or in one of many forms why there is none. Pure.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/tokens/provider.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

// A request to a token endpoint, and who it is in texts: "the token endpoint", "Entra ID".
struct TokenRequest {
  std::string who;
  HttpRequest request;
};

// A request to `url` with the limits of such a reply.
[[nodiscard]] TokenRequest token_request(std::string who, Url url);

// What `reply`, which holds no token, says: Errc::refused for a refusal, overloaded for a rate
// limit, unreachable for an error of the provider, bad_reply for something else, such as a page for
// browsers. A clock that differs by a minute or more from `now` is named.
[[nodiscard]] Error no_token(std::string_view who,
                             const HttpReply& reply,
                             std::span<const std::string> redactions,
                             WallTime now);

// The bearer token of an OAuth 2.0 response (RFC 6749, section 5.1). A token without expires_in is
// taken to live 5 minutes. Errors as no_token().
[[nodiscard]] Result<Grant> parse_bearer(std::string_view who,
                                         const HttpReply& reply,
                                         std::span<const std::string> redactions,
                                         WallTime now);

// The object in a reply of status 200; errors as no_token().
[[nodiscard]] Result<nlohmann::json> parse_object(std::string_view who,
                                                  const HttpReply& reply,
                                                  std::span<const std::string> redactions,
                                                  WallTime now);

// bad_reply when a part of `grant` cannot be sent in a header: other than visible ASCII. Checked
// before it is used, because a line end would begin another header.
[[nodiscard]] Result<Grant> sendable(std::string_view who, Grant grant);

// The text of a member; empty when it is absent or not a text.
[[nodiscard]] std::string member_text(const nlohmann::json& object, const char* key);

// The life of credentials that end at `text`, a day at most; bad_reply when it is not a time, or
// when it has passed, which shows a wrong clock.
[[nodiscard]] Result<Duration> life_until(std::string_view who,
                                          std::string_view text,
                                          WallTime now);

}  // namespace weir::scalers::clients
