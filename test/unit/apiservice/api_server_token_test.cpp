// Bearer tokens in the order of authenticators, and decisions that could not be made.
#include "apiservice/api_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using Texts = std::vector<std::string>;

const Deadline kDeadline = Deadline::after(SteadyTime{}, Duration{2500});

class NoSource final : public scalers::Source {
 public:
  [[nodiscard]] awaitable<scalers::Result<std::vector<scalers::Reading>>> read(
      scalers::Query /*query*/,
      Deadline /*deadline*/) override {
    co_return scalers::Error{scalers::Errc::no_value, "not asked for", ""};
  }
};

class ScriptedTokens final : public TokenAuthenticator {
 public:
  [[nodiscard]] awaitable<std::optional<Caller>> judge(scalers::Secret token,
                                                       Deadline deadline) override {
    asked.push_back(token.reveal());
    CHECK(deadline.at == kDeadline.at);
    if (token.reveal() != "good") co_return std::nullopt;
    co_return Caller{"carol", "7", {"g"}, {}};
  }

  Texts asked;
};

class ScriptedAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] awaitable<Decision> decide(Caller caller,
                                           Attributes /*asked*/,
                                           Deadline /*deadline*/) override {
    callers.push_back(std::move(caller));
    co_return next;
  }

  Decision next{true, "", ""};
  std::vector<Caller> callers;
};

struct World {
  std::optional<Response> refuse(Request request) {
    std::optional<std::optional<Response>> out;
    boost::asio::co_spawn(loop.get_executor(),
                          api.refuse(std::move(request), kDeadline),
                          [&](const std::exception_ptr& failure, std::optional<Response> refusal) {
                            if (!failure) out = std::move(refusal);
                          });
    loop.restart();
    loop.run();
    REQUIRE(out);
    return *out;
  }

  Loop loop{1};
  FrontProxyRules rules{.allowed_names = {},
                        .username_headers = {"x-remote-user"},
                        .group_headers = {},
                        .extra_header_prefixes = {}};
  NoSource source;
  ScriptedTokens tokens;
  ScriptedAuthorizer authorizer;
  ApiService api{rules, &tokens, authorizer, source, make_discovery({})};
};

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
  World world;

  const auto refusal = world.refuse(with_token("Bearer good"));

  CHECK_FALSE(refusal);
  REQUIRE(world.authorizer.callers.size() == 1);
  CHECK(world.authorizer.callers[0].user == "carol");
  CHECK(world.authorizer.callers[0].uid == "7");
  CHECK(world.authorizer.callers[0].groups == Texts{"g", "system:authenticated"});
}

TEST_CASE("case 94, S08: a token that is worth nothing is 401 and never anonymous") {
  World world;

  const auto refusal = world.refuse(with_token("Bearer bad"));

  REQUIRE(refusal);
  CHECK(refusal->status == 401);
  CHECK(world.authorizer.callers.empty());
}

TEST_CASE("a certificate that names the caller comes before the token") {
  World world;

  const auto refusal = world.refuse(with_token("Bearer bad", certificate(Trust::trusted)));

  CHECK_FALSE(refusal);
  CHECK(world.tokens.asked.empty());
  CHECK(world.authorizer.callers.at(0).user == "bob");
}

TEST_CASE("a token is tried after an invalid certificate, and then decides") {
  World world;

  const auto good = world.refuse(with_token("Bearer good", certificate(Trust::untrusted)));
  const auto bad = world.refuse(with_token("Bearer bad", certificate(Trust::untrusted)));

  CHECK_FALSE(good);
  REQUIRE(bad);
  CHECK(bad->status == 401);
  CHECK(world.tokens.asked == Texts{"good", "bad"});
}

TEST_CASE("no token is asked about when there is none") {
  World world;

  const auto refusal = world.refuse(with_token("Basic Zm9vOmJhcg=="));

  CHECK_FALSE(refusal);
  CHECK(world.tokens.asked.empty());
  CHECK(world.authorizer.callers.at(0).user == "system:anonymous");
}

TEST_CASE("the rules of the front proxy are those of the moment") {
  World world;
  PeerCertificate proxy;
  proxy.by_request_header_ca = Trust::trusted;
  proxy.common_name = "front-proxy-client";
  Request request = with_token("", proxy);
  request.headers = {{"x-remote-user", "alice"}, {"x-remote-uid", "9"}};

  CHECK_FALSE(world.refuse(request));
  world.rules.allowed_names = {"another"};
  const auto refusal = world.refuse(request);
  world.rules.allowed_names = {};
  world.rules.uid_headers = {"x-remote-uid"};
  CHECK_FALSE(world.refuse(request));

  REQUIRE(refusal);
  CHECK(refusal->status == 401);
  CHECK(world.authorizer.callers.at(0).uid.empty());
  CHECK(world.authorizer.callers.at(1).uid == "9");
}

TEST_CASE("S11: what could not be decided is 500 with Kubernetes' text, and refuses") {
  World world;
  world.authorizer.next = {true, "", "nobody answered"};

  const auto refusal = world.refuse(with_token("Bearer good"));

  REQUIRE(refusal);
  CHECK(refusal->status == 500);
  CHECK(refusal->content_type == "text/plain; charset=utf-8");
  CHECK(refusal->body == "Internal Server Error: \"/apis?a=&lt;b&gt;&amp;c\": nobody answered\n");
}

}  // namespace
}  // namespace weir::apiservice
