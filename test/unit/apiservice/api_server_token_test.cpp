// Bearer tokens in the order of authenticators, and decisions that could not be made.
#include "test/rigs/api_rig.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using test::ApiRig;
using Texts = std::vector<std::string>;

Request with_token(const std::string& header, std::optional<PeerCertificate> peer = std::nullopt) {
  Request out;
  out.method = "GET";
  out.target = "/apis?a=<b>&c";
  out.path = "/apis";
  out.headers = {{"authorization", header}};
  out.peer = std::move(peer);
  return out;
}

PeerCertificate certificate(Trust trust) {
  PeerCertificate out;
  out.by_client_ca = trust;
  out.common_name = "bob";
  return out;
}

TEST_CASE("the token is the second word of a Bearer header") {
  struct Row {
    std::string_view header;
    std::string_view token;
  };
  const Row rows[] = {
      {"Bearer abc", "abc"},
      {"bearer abc", "abc"},
      {"BEARER a.b-c_d", "a.b-c_d"},
      {"Bearer abc def", "abc"},
      {"Bearer", ""},
      {"Bearer ", ""},
      {"Bearer  abc", ""},
      {"Basic abc", ""},
      {"Bearerabc", ""},
      {"", ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION("header '" << row.header << "'") {
      CHECK(bearer_token(with_token(std::string(row.header))) == row.token);
    }
  }
  CHECK(bearer_token({}).empty());
}

TEST_CASE("case 94: a good token names the caller, and adds system:authenticated") {
  ApiRig rig;

  const Response response = rig.send(with_token("Bearer good"));

  CHECK(response.status == 200);
  REQUIRE(rig.authorizer.callers.size() == 1);
  CHECK(rig.authorizer.callers[0].user == "carol");
  CHECK(rig.authorizer.callers[0].uid == "7");
  CHECK(rig.authorizer.callers[0].groups == Texts{"g", "system:authenticated"});
}

TEST_CASE("case 94, S08: an invalid token is 401 and never anonymous") {
  ApiRig rig;

  const Response response = rig.send(with_token("Bearer bad"));

  CHECK(response.status == 401);
  CHECK(rig.token_authenticator.tokens == Texts{"bad"});
  CHECK(rig.authorizer.callers.empty());
}

TEST_CASE("a certificate that names the caller comes before the token") {
  ApiRig rig;

  const Response response = rig.send(with_token("Bearer bad", certificate(Trust::trusted)));

  CHECK(response.status == 200);
  CHECK(rig.token_authenticator.tokens.empty());
  CHECK(rig.authorizer.callers.at(0).user == "bob");
}

TEST_CASE("a token is checked after an invalid certificate, and then decides") {
  ApiRig rig;

  const Response good = rig.send(with_token("Bearer good", certificate(Trust::untrusted)));
  const Response bad = rig.send(with_token("Bearer bad", certificate(Trust::untrusted)));

  CHECK(good.status == 200);
  CHECK(bad.status == 401);
  CHECK(rig.token_authenticator.tokens == Texts{"good", "bad"});
}

TEST_CASE("without a token nothing is authenticated") {
  ApiRig rig;

  const Response response = rig.send(with_token("Basic Zm9vOmJhcg=="));

  CHECK(response.status == 200);
  CHECK(rig.token_authenticator.tokens.empty());
  CHECK(rig.authorizer.callers.at(0).user == "system:anonymous");
}

TEST_CASE("without a token authenticator a bearer token is ignored") {
  ApiRig rig({.has_token_authenticator = false});

  const Response response = rig.send(with_token("Bearer good"));

  CHECK(response.status == 200);
  CHECK(rig.token_authenticator.tokens.empty());
  CHECK(rig.authorizer.callers.at(0).user == "system:anonymous");
}

TEST_CASE("the current rules of the front proxy apply") {
  ApiRig rig;
  PeerCertificate proxy;
  proxy.by_request_header_ca = Trust::trusted;
  proxy.common_name = "front-proxy-client";
  Request request = with_token("", proxy);
  request.headers = {{"x-remote-user", "alice"}, {"x-remote-uid", "9"}};

  const Response with_any_name = rig.send(request);
  rig.rules.allowed_names = {"another"};
  const Response with_another_name = rig.send(request);
  rig.rules.allowed_names = {};
  rig.rules.uid_headers = {"x-remote-uid"};
  const Response with_uid_header = rig.send(request);

  CHECK(with_any_name.status == 200);
  CHECK(with_another_name.status == 401);
  CHECK(with_uid_header.status == 200);
  REQUIRE(rig.authorizer.callers.size() == 2);
  CHECK(rig.authorizer.callers[0].uid.empty());
  CHECK(rig.authorizer.callers[1].uid == "9");
}

TEST_CASE("S11: a review without a decision is 500 with Kubernetes' text, and denies access") {
  ApiRig rig;
  rig.authorizer.decision = {true, "", "nobody answered"};

  const Response response = rig.send(with_token("Bearer good"));

  CHECK(response.status == 500);
  CHECK(response.content_type == "text/plain; charset=utf-8");
  CHECK(response.body == "Internal Server Error: \"/apis?a=&lt;b&gt;&amp;c\": nobody answered\n");
}

}  // namespace
}  // namespace weir::apiservice
