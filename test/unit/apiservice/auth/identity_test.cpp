#include "apiservice/auth/identity.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using Texts = std::vector<std::string>;

FrontProxyRules rules() {
  return {.allowed_names = {"front-proxy-client"},
          .username_headers = {"x-remote-user"},
          .group_headers = {"x-remote-group"},
          .extra_header_prefixes = {"x-remote-extra-"}};
}

PeerCertificate proxy_certificate() {
  PeerCertificate out;
  out.by_request_header_ca = Trust::trusted;
  out.by_client_ca = Trust::untrusted;
  out.common_name = "front-proxy-client";
  out.organizations = {"proxies"};
  out.sha256 = "aa";
  return out;
}

PeerCertificate user_certificate() {
  PeerCertificate out;
  out.by_request_header_ca = Trust::untrusted;
  out.by_client_ca = Trust::trusted;
  out.common_name = "bob";
  out.organizations = {"g1", "g2"};
  out.sha256 = "00ff";
  return out;
}

Request request(std::optional<PeerCertificate> peer, std::vector<Header> headers) {
  Request out;
  out.method = "GET";
  out.path = "/apis";
  out.headers = std::move(headers);
  out.peer = std::move(peer);
  return out;
}

std::optional<UserInfo> identify(const Request& incoming, const FrontProxyRules& by) {
  return effective_user(identity_of(incoming, by));
}

// What the front proxy is believed when it sends `headers`.
std::optional<UserInfo> proxied(std::vector<Header> headers) {
  return identify(request(proxy_certificate(), std::move(headers)), rules());
}

TEST_CASE("a caller without a certificate is always anonymous") {
  struct Row {
    std::string_view name;
    std::vector<Header> headers;
  };
  const Row rows[] = {
      {"nothing at all", {}},
      {"S01: X-Remote-User", {{"x-remote-user", "admin"}}},
      {"S01: a group too", {{"x-remote-user", "admin"}, {"x-remote-group", "system:masters"}}},
      {"a token that nobody reviews", {{"authorization", "Bearer abc"}}},
      {"a uid", {{"x-remote-uid", "1"}}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto caller = identify(request(std::nullopt, row.headers), rules());

      REQUIRE(caller);
      CHECK(caller->user == "system:anonymous");
      CHECK(caller->groups == Texts{"system:unauthenticated"});
      CHECK(caller->uid.empty());
      CHECK(caller->extra.empty());
      CHECK(caller->is_anonymous());
    }
  }
}

struct Refused {
  std::string_view name;
  PeerCertificate peer;
  std::vector<Header> headers;
};

TEST_CASE("a certificate that no authenticator accepts is 401, never anonymous") {
  const std::vector<Header> admin{{"x-remote-user", "admin"}};
  PeerCertificate foreign = proxy_certificate();
  foreign.by_request_header_ca = Trust::untrusted;
  PeerCertificate foreign_alone = foreign;
  foreign_alone.by_client_ca = Trust::no_bundle;
  PeerCertificate wrong_name = proxy_certificate();
  wrong_name.common_name = "someone-else";
  PeerCertificate wrong_name_alone = wrong_name;
  wrong_name_alone.by_client_ca = Trust::no_bundle;
  PeerCertificate nameless = proxy_certificate();
  nameless.common_name.clear();
  PeerCertificate other_case = proxy_certificate();
  other_case.common_name = "Front-Proxy-Client";
  PeerCertificate only_client_ca = user_certificate();
  only_client_ca.by_request_header_ca = Trust::no_bundle;
  only_client_ca.by_client_ca = Trust::untrusted;
  PeerCertificate two_uids = user_certificate();
  two_uids.uids = {"1", "2"};
  PeerCertificate empty_uid = user_certificate();
  empty_uid.uids = {""};
  PeerCertificate no_user = user_certificate();
  no_user.common_name.clear();
  const Refused rows[] = {
      {"case 88: of a foreign CA", foreign, admin},
      {"case 88: without any header", foreign, {}},
      {"case 88: without a client CA", foreign_alone, admin},
      {"case 89, S03: a name that may not proxy", wrong_name, admin},
      {"case 89: without a client CA", wrong_name_alone, admin},
      {"case 89: no name at all", nameless, admin},
      {"case 89: the name in another case", other_case, admin},
      {"case 93: untrusted by the client CA alone", only_client_ca, {}},
      {"the proxy's without a user, untrusted by the client CA", proxy_certificate(), {}},
      {"the proxy's with an empty user", proxy_certificate(), {{"x-remote-user", ""}}},
      {"two uids", two_uids, {}},
      {"an empty uid", empty_uid, {}},
      {"no common name, untrusted as a proxy", no_user, {}},
  };

  for (const Refused& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK_FALSE(identify(request(row.peer, row.headers), rules()).has_value());
    }
  }
}

TEST_CASE("a certificate without an error and without a user is anonymous") {
  PeerCertificate no_bundles;
  no_bundles.common_name = "bob";
  PeerCertificate no_name = user_certificate();
  no_name.by_request_header_ca = Trust::no_bundle;
  no_name.common_name.clear();
  PeerCertificate no_header = proxy_certificate();
  no_header.by_client_ca = Trust::no_bundle;
  const Refused rows[] = {
      {"no bundle is configured", no_bundles, {{"x-remote-user", "admin"}}},
      {"no common name", no_name, {}},
      {"the proxy's without a username header", no_header, {{"x-remote-group", "g"}}},
      {"the proxy's with an empty username header", no_header, {{"x-remote-user", ""}}},
  };

  for (const Refused& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto caller = identify(request(row.peer, row.headers), rules());

      REQUIRE(caller);
      CHECK(caller->user == "system:anonymous");
      CHECK(caller->groups == Texts{"system:unauthenticated"});
    }
  }
}

TEST_CASE("the front proxy's user is that of its header, not that of its certificate") {
  const auto caller = proxied({{"x-remote-user", "alice"}, {"x-remote-group", "g1"}});

  REQUIRE(caller);
  CHECK(caller->user == "alice");
  CHECK(caller->uid.empty());
  CHECK(caller->groups == Texts{"g1", "system:authenticated"});
  CHECK(caller->extra.empty());
  CHECK_FALSE(caller->is_anonymous());
}

TEST_CASE("case 90: without allowed names every certificate of the CA may proxy") {
  FrontProxyRules any = rules();
  any.allowed_names.clear();
  PeerCertificate peer = proxy_certificate();
  peer.common_name = "someone-else";
  const auto named = identify(request(peer, {{"x-remote-user", "alice"}}), any);
  peer.common_name.clear();
  const auto nameless = identify(request(peer, {{"x-remote-user", "alice"}}), any);

  REQUIRE(named);
  CHECK(named->user == "alice");
  REQUIRE(nameless);
  CHECK(nameless->user == "alice");
}

TEST_CASE("a certificate that both bundles trust is the front proxy's first") {
  PeerCertificate both = proxy_certificate();
  both.by_client_ca = Trust::trusted;

  const auto with_user = identify(request(both, {{"x-remote-user", "alice"}}), rules());
  const auto without = identify(request(both, {}), rules());

  REQUIRE(with_user);
  CHECK(with_user->user == "alice");
  REQUIRE(without);
  CHECK(without->user == "front-proxy-client");
  CHECK(without->groups == Texts{"proxies", "system:authenticated"});
}

TEST_CASE("the first non-empty username is used, in the order of the rules") {
  FrontProxyRules two = rules();
  two.username_headers = {"x-remote-user", "x-user"};
  struct Row {
    std::string_view name;
    std::vector<Header> headers;
    std::string_view user;
  };
  const Row rows[] = {
      {"the rules' order", {{"x-user", "b"}, {"x-remote-user", "a"}}, "a"},
      {"the second header", {{"x-user", "b"}}, "b"},
      {"an empty first one", {{"x-remote-user", ""}, {"x-user", "b"}}, "b"},
      {"the first of two", {{"x-remote-user", "a"}, {"x-remote-user", "c"}}, "a"},
      {"a header of another name", {{"x-remote-users", "c"}, {"x-user", "b"}}, "b"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto caller = identify(request(proxy_certificate(), row.headers), two);

      REQUIRE(caller);
      CHECK(caller->user == row.user);
    }
  }
}

TEST_CASE("case 97: the proxy's groups are all that are not empty, and authenticated once") {
  struct Row {
    std::string_view name;
    Texts sent;
    Texts groups;
  };
  const Row rows[] = {
      {"none", {}, {"system:authenticated"}},
      {"several", {"g2", "g1"}, {"g2", "g1", "system:authenticated"}},
      {"empty ones between", {"", "g1", "", "g2", ""}, {"g1", "g2", "system:authenticated"}},
      {"a comma does not split", {"g1,g2"}, {"g1,g2", "system:authenticated"}},
      {"one twice", {"g1", "g1"}, {"g1", "g1", "system:authenticated"}},
      {"authenticated already", {"system:authenticated", "g1"}, {"system:authenticated", "g1"}},
      {"said to be unauthenticated", {"system:unauthenticated"}, {"system:unauthenticated"}},
      {"case 100: masters", {"system:masters"}, {"system:masters", "system:authenticated"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::vector<Header> headers{{"x-remote-user", "alice"}};
      for (const std::string& group : row.sent) headers.push_back({"x-remote-group", group});

      const auto caller = proxied(headers);

      REQUIRE(caller);
      CHECK(caller->groups == row.groups);
    }
  }
}

TEST_CASE("a user named system:anonymous stays anonymous behind the front proxy") {
  const auto caller = proxied({{"x-remote-user", "system:anonymous"}, {"x-remote-group", "g1"}});

  REQUIRE(caller);
  CHECK(caller->groups == Texts{"g1"});
  CHECK(caller->is_anonymous());
}

TEST_CASE("case 98: an extra key is decoded if possible, and otherwise unchanged") {
  struct Row {
    std::string_view name;
    std::string header;
    std::string key;
  };
  const Row rows[] = {
      {"plain", "x-remote-extra-scopes", "scopes"},
      {"an escaped slash", "x-remote-extra-foo%2fbar", "foo/bar"},
      {"an escape of capitals", "x-remote-extra-%41", "A"},
      {"the credential id",
       "x-remote-extra-authentication.kubernetes.io%2fcredential-id",
       "authentication.kubernetes.io/credential-id"},
      {"no hexadecimal digits", "x-remote-extra-foo%zz", "foo%zz"},
      {"an escape cut off", "x-remote-extra-foo%2", "foo%2"},
      {"one good and one bad escape", "x-remote-extra-%2f%", "%2f%"},
      {"a plus sign is not a blank", "x-remote-extra-a+b", "a+b"},
      {"no key", "x-remote-extra-", ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto caller = proxied({{"x-remote-user", "alice"}, {row.header, "v"}});

      REQUIRE(caller);
      REQUIRE(caller->extra.size() == 1);
      CHECK(caller->extra.begin()->first == row.key);
      CHECK(caller->extra.begin()->second == Texts{"v"});
    }
  }
}

TEST_CASE("extra values of a key are in order, including empty values") {
  const auto caller = proxied({{"x-remote-user", "alice"},
                               {"x-remote-extra-k", "2"},
                               {"x-remote-extra-k", ""},
                               {"x-remote-extra-%6b", "1"},
                               {"x-remote-other-k", "3"}});

  REQUIRE(caller);
  REQUIRE(caller->extra.size() == 1);
  CHECK(caller->extra.at("k") == Texts{"2", "", "1"});
}

TEST_CASE("X-Remote-Uid is ignored: no uid header is configured") {
  const auto caller = proxied({{"x-remote-user", "alice"}, {"x-remote-uid", "1"}});

  REQUIRE(caller);
  CHECK(caller->uid.empty());
  CHECK(caller->extra.empty());
}

TEST_CASE("case 92: a client certificate names user, groups and credential") {
  const auto caller = identify(request(user_certificate(), {}), rules());

  REQUIRE(caller);
  CHECK(caller->user == "bob");
  CHECK(caller->uid.empty());
  CHECK(caller->groups == Texts{"g1", "g2", "system:authenticated"});
  REQUIRE(caller->extra.size() == 1);
  CHECK(caller->extra.at("authentication.kubernetes.io/credential-id") == Texts{"X509SHA256=00ff"});
}

TEST_CASE("S02: identity headers beside a user's certificate change nothing") {
  const auto caller = identify(request(user_certificate(),
                                       {{"x-remote-user", "admin"},
                                        {"x-remote-group", "system:masters"},
                                        {"x-remote-extra-k", "v"}}),
                               rules());

  REQUIRE(caller);
  CHECK(caller->user == "bob");
  CHECK(caller->groups == Texts{"g1", "g2", "system:authenticated"});
  CHECK(caller->extra.count("k") == 0);
}

TEST_CASE(
    "a client certificate's only uid is the caller's, and an anonymous name stays anonymous") {
  PeerCertificate with_uid = user_certificate();
  with_uid.uids = {"4711"};
  PeerCertificate anonymous = user_certificate();
  anonymous.common_name = "system:anonymous";

  const auto caller = identify(request(with_uid, {}), rules());
  const auto nobody = identify(request(anonymous, {}), rules());

  REQUIRE(caller);
  CHECK(caller->uid == "4711");
  REQUIRE(nobody);
  CHECK(nobody->groups == Texts{"g1", "g2"});
  CHECK(nobody->is_anonymous());
}

}  // namespace
}  // namespace weir::apiservice
