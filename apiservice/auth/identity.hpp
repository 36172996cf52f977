// Authentication: front proxy, then client certificate, then bearer token, then anonymous, by the
// rules of Kubernetes' API servers. Pure; tokens are checked by a TokenAuthenticator.
#pragma once

#include "apiservice/request/http.hpp"
#include "scalers/deadline.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/task.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

inline constexpr std::string_view kAnonymous = "system:anonymous";
inline constexpr std::string_view kUnauthenticated = "system:unauthenticated";
inline constexpr std::string_view kAuthenticated = "system:authenticated";
inline constexpr std::string_view kMasters = "system:masters";

// Which front proxies are trusted and in which headers they name the user: the --requestheader-*
// flags. Header names in lower case.
struct FrontProxyRules {
  std::vector<std::string>
      allowed_names;  // common names of front proxies; empty: any certificate of the CA
  std::vector<std::string> username_headers;
  std::vector<std::string> group_headers;
  std::vector<std::string> extra_header_prefixes;
  std::vector<std::string> uid_headers{};  // empty: a front proxy sends no uid
};

struct UserInfo {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  [[nodiscard]] bool is_anonymous() const;
  // A member of system:masters, which may do everything.
  [[nodiscard]] bool is_privileged() const;
};

// The result of authentication so far: a user, no credentials, or invalid credentials (is_error).
struct Identity {
  std::optional<UserInfo> caller;
  bool is_error = false;
};

// By the front proxy's headers, else by the client certificate. Identity headers are ignored unless
// the request-header CA signed the client certificate.
[[nodiscard]] Identity identity_of(const Request& request, const FrontProxyRules& rules);

// The token of an "Authorization: Bearer" header; empty when there is none.
[[nodiscard]] std::string bearer_token(const Request& request);

// The user for authorization, with system:authenticated among the groups. A caller without
// credentials is anonymous. nullopt: there were credentials and none was valid; the response is
// 401.
[[nodiscard]] std::optional<UserInfo> effective_user(Identity identity);

// Authenticates bearer tokens.
class TokenAuthenticator {
 public:
  TokenAuthenticator() = default;
  TokenAuthenticator(const TokenAuthenticator&) = delete;
  TokenAuthenticator& operator=(const TokenAuthenticator&) = delete;
  virtual ~TokenAuthenticator() = default;
  // The user of the token; nullopt when the token is invalid, or was not checked by `deadline`.
  [[nodiscard]] virtual awaitable<std::optional<UserInfo>> authenticate(scalers::Secret token,
                                                                        Deadline deadline) = 0;
};

}  // namespace weir::apiservice
