// Authentication by request headers and certificates in the order of k8s.io/apiserver. Values in,
// values out: the verification of certificates has already happened.
#include "apiservice/auth/identity.hpp"

#include "scalers/settings/url.hpp"
#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::apiservice {
namespace {

constexpr std::size_t kUsualGroups = 4;  // a service account has three

std::string first_value(const Request& request, const std::vector<std::string>& names) {
  // The order of the rules decides, not that of the request. An empty value counts as absent.
  for (const std::string& name : names) {
    for (const Header& header : request.headers) {
      if (header.name == name && !header.value.empty()) return header.value;
    }
  }
  return {};
}

std::vector<std::string> all_values(const Request& request, const std::vector<std::string>& names) {
  std::vector<std::string> out;
  out.reserve(kUsualGroups);
  for (const std::string& name : names) {
    for (const Header& header : request.headers) {
      if (header.name == name && !header.value.empty()) out.push_back(header.value);
    }
  }
  return out;
}

std::map<std::string, std::vector<std::string>> extra_of(const Request& request,
                                                         const FrontProxyRules& rules) {
  std::map<std::string, std::vector<std::string>> out;
  for (const std::string& prefix : rules.extra_header_prefixes) {
    for (const Header& header : request.headers) {
      if (!header.name.starts_with(prefix)) continue;
      // Keys such as `example.com/key` arrive percent-encoded, because a header name has no slash.
      // An undecodable one stays as it is, as in Kubernetes.
      const std::string raw = header.name.substr(prefix.size());
      out[scalers::percent_decoded(raw).value_or(raw)].push_back(header.value);
    }
  }
  return out;
}

Identity by_front_proxy(const Request& request, const FrontProxyRules& rules) {
  const PeerCertificate& peer = *request.peer;
  // Any client can send identity headers: only a certificate of the request-header CA makes them
  // trustworthy. An error here is not final, because the certificate may be a user's.
  if (peer.by_request_header_ca == Trust::no_bundle) return {};
  if (peer.by_request_header_ca == Trust::untrusted) return {.caller = {}, .is_error = true};
  const auto& allowed = rules.allowed_names;
  // Kubernetes: an empty list of names allows every certificate of the CA.
  const bool may_proxy =
      allowed.empty() || std::ranges::find(allowed, peer.common_name) != allowed.end();
  if (!may_proxy) return {.caller = {}, .is_error = true};
  UserInfo caller;
  caller.user = first_value(request, rules.username_headers);
  // Without a user header the request is the proxy's own, and its certificate decides.
  if (caller.user.empty()) return {};
  caller.uid = first_value(request, rules.uid_headers);
  caller.groups = all_values(request, rules.group_headers);
  caller.extra = extra_of(request, rules);
  return {.caller = std::move(caller), .is_error = false};
}

Identity by_certificate(const PeerCertificate& peer) {
  if (peer.by_client_ca == Trust::no_bundle) return {};
  if (peer.by_client_ca == Trust::untrusted) return {.caller = {}, .is_error = true};
  // No opinion, and not an error: the request may still have a token.
  if (peer.common_name.empty()) return {};
  UserInfo caller;
  caller.user = peer.common_name;
  caller.groups = peer.organizations;
  // A certificate with several uids, or an empty one, is invalid.
  const bool has_one_uid = peer.uids.size() == 1 && !peer.uids.front().empty();
  if (!peer.uids.empty() && !has_one_uid) return {.caller = {}, .is_error = true};
  if (has_one_uid) caller.uid = peer.uids.front();
  // Kubernetes' key and form, so that audit logs identify the credential.
  caller.extra["authentication.kubernetes.io/credential-id"] = {"X509SHA256=" + peer.sha256};
  return {.caller = std::move(caller), .is_error = false};
}

void add_authenticated(UserInfo& caller) {
  // As in k8s.io/apiserver, also for an anonymous user that a front proxy names.
  if (caller.user == kAnonymous) return;
  const bool has_either = std::ranges::any_of(caller.groups, [](const std::string& group) {
    return group == kAuthenticated || group == kUnauthenticated;
  });
  if (!has_either) caller.groups.emplace_back(kAuthenticated);
}

}  // namespace

bool UserInfo::is_privileged() const { return std::ranges::find(groups, kMasters) != groups.end(); }

bool UserInfo::is_anonymous() const {
  return user == kAnonymous || std::ranges::find(groups, kUnauthenticated) != groups.end();
}

Identity identity_of(const Request& request, const FrontProxyRules& rules) {
  if (!request.peer) return {};
  Identity proxied = by_front_proxy(request, rules);
  if (proxied.caller) return proxied;
  Identity certified = by_certificate(*request.peer);
  // The error of the front proxy stays: a caller whom no authenticator accepts is 401, never
  // anonymous.
  certified.is_error = certified.is_error || proxied.is_error;
  return certified;
}

std::string bearer_token(const Request& request) {
  const std::string_view value = request.header("authorization");
  const auto blank = value.find(' ');
  if (blank == value.npos || scalers::lower_case(value.substr(0, blank)) != "bearer") return {};
  // Split at single blanks, as in Kubernetes: two blanks give an empty token, which counts as none.
  const std::string_view rest = value.substr(blank + 1);
  return std::string(rest.substr(0, rest.find(' ')));
}

std::optional<UserInfo> effective_user(Identity identity) {
  if (identity.caller) {
    add_authenticated(*identity.caller);
    return std::move(identity.caller);
  }
  if (identity.is_error) return std::nullopt;
  return UserInfo{std::string(kAnonymous), {}, {std::string(kUnauthenticated)}, {}};
}

}  // namespace weir::apiservice
