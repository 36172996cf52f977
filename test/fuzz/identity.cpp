// identity_of, bearer_token and effective_user: nobody is whom a header names but by a trusted
// proxy. The input: a line of two letters (what the request-header CA and the client CA say: n, t
// or u), then a header a line, "name: value".
#include "apiservice/auth/identity.hpp"

#include "scalers/settings/url.hpp"
#include "scalers/text/utf8.hpp"
#include "test/fuzz/property.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace weir::fuzz {
namespace {

using apiservice::FrontProxyRules;
using apiservice::Identity;
using apiservice::PeerCertificate;
using apiservice::Request;
using apiservice::Trust;
using apiservice::UserInfo;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

Trust trust_of(std::string_view letters, std::size_t at) {
  const char letter = at < letters.size() ? letters[at] : 'n';
  if (letter == 't') return Trust::trusted;
  return letter == 'u' ? Trust::untrusted : Trust::no_bundle;
}

Request request_of(std::string_view input) {
  Request out;
  const std::string_view letters = take_line(input);
  out.peer = PeerCertificate{.by_request_header_ca = trust_of(letters, 0),
                             .by_client_ca = trust_of(letters, 1),
                             .common_name = "certified",
                             .organizations = {"certified-group"},
                             .uids = {},
                             .sha256 = "00"};
  while (!input.empty()) {
    const std::string_view line = take_line(input);
    const auto colon = std::min(line.find(": "), line.size());
    out.headers.push_back({scalers::lower_case(line.substr(0, colon)),
                           std::string(line.substr(std::min(line.size(), colon + 2)))});
  }
  return out;
}

bool is_sent(const Request& request, std::string_view name, std::string_view value) {
  return std::ranges::any_of(request.headers, [&](const apiservice::Header& header) {
    return header.name == name && header.value == value;
  });
}

// By a raw or a percent-encoded name.
bool is_extra_sent(const Request& request, const std::string& key, const std::string& value) {
  constexpr std::string_view kPrefix = "x-remote-extra-";
  return std::ranges::any_of(request.headers, [&](const apiservice::Header& header) {
    if (!header.name.starts_with(kPrefix) || header.value != value) return false;
    const std::string raw = header.name.substr(kPrefix.size());
    return raw == key || scalers::percent_decoded(raw) == key;
  });
}

void check_proxied(const Request& request, const UserInfo& caller) {
  require(!caller.user.empty() && is_sent(request, "x-remote-user", caller.user),
          "a proxied user is in its header");
  require(caller.uid.empty() || is_sent(request, "x-remote-uid", caller.uid),
          "a proxied uid is in its header");
  for (const std::string& group : caller.groups)
    require(is_sent(request, "x-remote-group", group), "a proxied group is in its header");
  for (const auto& [key, values] : caller.extra) {
    require(scalers::percent_decoded(scalers::percent_encoded(key)) == key,
            "percent-encoding is undone by decoding");
    for (const std::string& value : values)
      require(is_extra_sent(request, key, value), "a proxied extra is in its header");
  }
}

void check_own(const UserInfo& caller) {
  require(caller.user == "certified", "without a proxy the certificate alone names the user");
  require(caller.groups == std::vector<std::string>{"certified-group"},
          "without a proxy the certificate alone names the groups");
}

void check(const Request& request, const Identity& identity) {
  const Trust proxy = request.peer ? request.peer->by_request_header_ca : Trust::no_bundle;
  const Trust own = request.peer ? request.peer->by_client_ca : Trust::no_bundle;
  if (identity.caller) {
    require(proxy == Trust::trusted || own == Trust::trusted, "an identity has a certificate");
    if (proxy == Trust::trusted && !request.header("x-remote-user").empty())
      check_proxied(request, *identity.caller);
    if (proxy != Trust::trusted) check_own(*identity.caller);
  }
  const bool is_shown_in_vain = !identity.caller && identity.is_error;
  const auto acting = apiservice::effective_user(identity);
  require(acting.has_value() != is_shown_in_vain, "what is shown in vain is a 401, nothing is not");
  if (!acting) return;
  require(!acting->user.empty(), "an acting user has a name");
  require(identity.caller || acting->is_anonymous(), "who showed nothing is anonymous");
}

}  // namespace

void run(std::string_view input) {
  const FrontProxyRules rules{.allowed_names = {},
                              .username_headers = {"x-remote-user"},
                              .group_headers = {"x-remote-group"},
                              .extra_header_prefixes = {"x-remote-extra-"},
                              .uid_headers = {"x-remote-uid"}};
  Request request = request_of(input);
  check(request, apiservice::identity_of(request, rules));

  const std::string token = apiservice::bearer_token(request);
  require(token.find(' ') == token.npos, "a token is one word");

  request.peer.reset();
  check(request, apiservice::identity_of(request, rules));
}

}  // namespace weir::fuzz
