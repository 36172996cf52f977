// Who a caller is: front proxy, then client certificate, then bearer token, then anonymous, by the
// rules of Kubernetes' API servers. Pure; who knows what a token is worth is a TokenAuthenticator.
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

// How a front proxy speaks for others: the --requestheader-* flags. Header names in lower case.
struct FrontProxyRules {
  std::vector<std::string>
      allowed_names;  // common names that may; empty: any certificate of the CA
  std::vector<std::string> username_headers;
  std::vector<std::string> group_headers;
  std::vector<std::string> extra_header_prefixes;
  std::vector<std::string> uid_headers{};  // none: a front proxy names no uid
};

struct UserInfo {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  [[nodiscard]] bool is_anonymous() const;
  // Of the group that may do everything.
  [[nodiscard]] bool is_privileged() const;
};

// What has been seen of a caller so far: who it is, nothing, or that something invalid was shown.
struct Identity {
  std::optional<UserInfo> caller;
  bool is_error = false;
};

// By the front proxy's headers, else by the client certificate. Identity headers count only beside
// a certificate that the request-header CA signed.
[[nodiscard]] Identity identity_of(const Request& request, const FrontProxyRules& rules);

// The token of an "Authorization: Bearer" header; empty when there is none.
[[nodiscard]] std::string bearer_token(const Request& request);

// Who acts in the end, with system:authenticated among the groups. One who showed nothing is
// anonymous; nullopt: something was shown and nothing of it was valid, the answer is 401.
[[nodiscard]] std::optional<UserInfo> effective_user(Identity identity);

// Judges bearer tokens.
class TokenAuthenticator {
 public:
  TokenAuthenticator() = default;
  TokenAuthenticator(const TokenAuthenticator&) = delete;
  TokenAuthenticator& operator=(const TokenAuthenticator&) = delete;
  virtual ~TokenAuthenticator() = default;
  // Who holds the token; nullopt when it is worth nothing, or could not be judged by `deadline`.
  [[nodiscard]] virtual awaitable<std::optional<UserInfo>> authenticate(scalers::Secret token,
                                                                        Deadline deadline) = 0;
};

}  // namespace weir::apiservice
