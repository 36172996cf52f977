// Who a caller is: front proxy, then client certificate, then anonymous, by the rules of
// Kubernetes' API servers. Pure.
#pragma once

#include "apiservice/http.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

inline constexpr std::string_view kAnonymous = "system:anonymous";
inline constexpr std::string_view kUnauthenticated = "system:unauthenticated";
inline constexpr std::string_view kAuthenticated = "system:authenticated";

// How a front proxy speaks for others: the --requestheader-* flags. Header names in lower case.
struct FrontProxyRules {
  std::vector<std::string>
      allowed_names;  // common names that may; empty: any certificate of the CA
  std::vector<std::string> username_headers;
  std::vector<std::string> group_headers;
  std::vector<std::string> extra_header_prefixes;
};

struct Caller {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  [[nodiscard]] bool is_anonymous() const;
};

// nullopt: a certificate was shown and no authenticator took it; the answer is 401. A caller who
// shows nothing is anonymous. Identity headers count only beside a certificate that the
// request-header CA signed.
[[nodiscard]] std::optional<Caller> identify(const Request& request, const FrontProxyRules& rules);

}  // namespace weir::apiservice
