// What a login adds to a request, and what it knows about a refusal.
#include "scalers/clients/tokens/login.hpp"

#include "scalers/clients/net/resolver.hpp"
#include "scalers/clients/tokens/sigv4.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/http_rig.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/reader_rig.hpp"
#include "test/rigs/tcp_server.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

struct Site {
  std::shared_ptr<Login> login(bool has_session) {
    AwsAuth aws;
    aws.region = "eu-west-1";
    aws.access_key_id = SecretFile(folder.write("id", "AKIDEXAMPLE\n"));
    aws.secret_access_key = SecretFile(folder.write("key", "k3y/+"));
    if (has_session) aws.session_token = SecretFile(folder.write("token", "s3ssion=="));
    AuthSettings settings;
    settings.kind = aws;
    return std::make_shared<Login>(loop, TokenHttp(http, proxies), clock, settings);
  }
  HttpRequest proved(const std::string& url, bool has_session = false) {
    const auto owner = login(has_session);
    const auto grant = test::run(loop, Login::get(owner, test::within(20s)));
    REQUIRE(grant.has_value());
    HttpRequest request;
    request.url = std::get<Url>(parse_http_url(url));
    request.query = "query=up";
    owner->prove(**grant, request);
    return request;
  }

  test::Folder folder;
  test::FakeClock clock;
  Loop loop;
  Resolver resolver{loop};
  HttpClient http{loop, resolver};
  ProxyRules proxies;
};

std::string header(const HttpRequest& request, std::string_view name) {
  const auto found = std::ranges::find(request.headers, name, &HttpHeader::name);
  return found == request.headers.end() ? "" : found->value.reveal();
}

bool hides(const HttpRequest& request, std::string_view text) {
  const auto redactions = redactions_of(request);
  return std::ranges::find(redactions, text) != redactions.end();
}

}  // namespace

TEST_CASE("the signed host is the one that the client sends") {
  struct Row {
    std::string name;
    std::string url;
    std::string host;
  };
  const Row rows[] = {
      {"the port of https", "https://aps.example/w", "aps.example"},
      {"another port", "https://aps.example:8443/w", "aps.example:8443"},
      {"the port of http", "http://aps.example/w", "aps.example"},
      {"the port of the other scheme", "http://aps.example:443/w", "aps.example:443"},
      {"an IPv6 address", "http://[fd00::1]:9090/w", "[fd00::1]:9090"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    Site site;
    const WallTime now = site.clock.wall();

    const HttpRequest request = site.proved(row.url);

    const SignedRequest expected{"GET",
                                 "/w",
                                 "query=up",
                                 {{"Host", row.host}, {"X-Amz-Date", amz_date(now)}},
                                 ""};
    const Signer signer{"AKIDEXAMPLE", Secret("k3y/+"), "eu-west-1", "aps"};
    CHECK(header(request, "Authorization") == authorization_of(expected, signer, now));
    CHECK(header(request, "X-Amz-Date") == amz_date(now));
    CHECK(header(request, "X-Amz-Security-Token").empty());
  }
}

TEST_CASE("the parts of a signature are hidden in errors, and a refusal is not cached") {
  Site site;

  const HttpRequest request = site.proved("https://aps.example/w", true);

  const std::string value = header(request, "Authorization");
  CHECK(header(request, "X-Amz-Security-Token") == "s3ssion==");
  CHECK(value.find("SignedHeaders=host;x-amz-date;x-amz-security-token,") != value.npos);
  CHECK(hides(request, "AKIDEXAMPLE"));
  CHECK(hides(request, "s3ssion=="));
  CHECK(hides(request, value));
  CHECK(hides(request, value.substr(value.rfind('=') + 1)));
  CHECK_FALSE(request.caches_unauthorized);
}

TEST_CASE("a token is fetched through the proxy of the environment") {
  std::string asked;
  Site site;
  test::TcpServer proxy({[&](test::Connection& connection) {
    asked = connection.read_request();
    connection.write(test::ok(R"({"access_token":"t","token_type":"Bearer","expires_in":60})"));
  }});
  const std::string url = "http://127.0.0.1:" + std::to_string(proxy.port());
  const ProxyRules proxies(
      ProxyVariables{.http = {"HTTP_PROXY", url}, .https = {}, .no_proxy = {}});
  OAuth2Auth oauth2;
  oauth2.token_url = EndpointUrl{std::get<Url>(parse_http_url("http://login.invalid/token"))};
  oauth2.client_id = "weir";
  oauth2.client_secret = SecretFile(site.folder.write("secret", "of-weir"));
  AuthSettings settings;
  settings.kind = oauth2;
  const auto login =
      std::make_shared<Login>(site.loop, TokenHttp(site.http, proxies), site.clock, settings);

  const auto grant =
      test::run(site.loop, Login::get(login, Deadline::after(site.clock.steady(), 5s)));

  REQUIRE(grant.has_value());
  CHECK((*grant)->secret.reveal() == "t");
  CHECK(asked.starts_with("POST http://login.invalid/token HTTP/1.1\r\n"));
}

TEST_CASE("AWS signs whatever its region is") {
  Site site;
  AwsAuth aws;
  aws.access_key_id = SecretFile(site.folder.write("id", "AKIDEXAMPLE"));
  aws.secret_access_key = SecretFile(site.folder.write("key", "k3y"));
  AuthSettings settings;
  settings.kind = aws;
  const Login login(site.loop, TokenHttp(site.http, site.proxies), site.clock, settings);
  HttpRequest request;
  request.url = std::get<Url>(parse_http_url("https://aps.example/w"));

  login.prove(Grant{Secret("k3y"), "AKIDEXAMPLE", {}}, request);

  CHECK(header(request, "Authorization").starts_with("AWS4-HMAC-SHA256 "));
}

TEST_CASE("a 403 refuses a token only when it names an expired or invalid one") {
  struct Row {
    long status;
    std::string words;
    bool is_refused;
  };
  const Row rows[] = {
      {401, "", true},
      {401, "tenant is locked", true},
      {403, "", false},
      {403, "this tenant is locked", false},
      {403, "AccessDeniedException: User: x is not authorized to perform: aps:QueryMetrics", false},
      {403, "Signature expired: x is now earlier than y", false},
      {403, "ExpiredTokenException: x", true},
      {403, "InvalidClientTokenId", true},
      {403, "UnrecognizedClientException: x", true},
      {403, "The security token included in the request is expired", true},
      {403, "The security token included in the request is invalid.", true},
  };
  for (const Row& row : rows) {
    INFO(row.status << " " << row.words);
    CHECK(is_token_refused(row.status, row.words) == row.is_refused);
  }
}

TEST_CASE("a login that fails is reported with the time of its attempt") {
  Site site;
  OAuth2Auth oauth2;
  oauth2.client_secret = SecretFile(site.folder.path("none"));
  AuthSettings settings;
  settings.kind = oauth2;
  const auto login =
      std::make_shared<Login>(site.loop, TokenHttp(site.http, site.proxies), site.clock, settings);
  ConnectionCounts counts;
  login->report(counts);
  CHECK_FALSE(counts.refused_credentials.has_value());
  const SteadyTime asked_at = site.clock.steady();

  const auto grant =
      test::run(site.loop, Login::get(login, Deadline::after(site.clock.steady(), 20s)));
  site.clock.advance(10s);
  login->report(counts);

  CHECK_FALSE(grant.has_value());
  REQUIRE(counts.refused_credentials.has_value());
  CHECK(counts.refused_credentials->error.detail.starts_with("no credentials: a credential file "));
  CHECK(counts.refused_credentials->tried_at == asked_at);
  CHECK_FALSE(counts.refused_credentials->is_older_in_use);
}

TEST_CASE("a missing identity is reported as of now") {
  Site site;
  AuthSettings settings;
  settings.kind = AwsAuth{};
  settings.missing = "aws has no credentials: ...";
  const Login login(site.loop, TokenHttp(site.http, site.proxies), site.clock, settings);
  site.clock.advance(1h);

  ConnectionCounts counts;
  login.report(counts);

  REQUIRE(counts.refused_credentials.has_value());
  CHECK(counts.refused_credentials->error.detail == settings.missing);
  CHECK(counts.refused_credentials->tried_at == site.clock.steady());
}

TEST_CASE("keys whose files are missing are a refusal that does not name them") {
  Site site;
  const auto login = site.login(false);
  std::filesystem::remove(site.folder.path("key"));

  const auto grant = test::run(site.loop, Login::get(login, test::within(20s)));

  REQUIRE_FALSE(grant.has_value());
  CHECK(grant.error().code == Errc::refused);
  CHECK(grant.error().detail ==
        "no credentials: a credential file cannot be read: No such file or directory; the log of "
        "Weir names the file");
}

TEST_CASE("a refusal with the server's time names a clock that differs, and other errors stay") {
  Site site;
  const auto login = site.login(false);
  const auto grant = test::run(site.loop, Login::get(login, test::within(20s)));
  REQUIRE(grant.has_value());
  const std::string words =
      "Signature expired: x (" + amz_date(site.clock.wall() + 10min) + " - 5 min.)";

  const Error refused = login->explain(*grant, {403, ""}, {Errc::refused, "no", words});
  const Error other = login->explain(*grant, {200, ""}, {Errc::bad_reply, "no", words});

  CHECK(refused.detail ==
        "no; Weir's clock is 10 min behind that of the server; correct the clock of its node");
  CHECK(other.detail == "no");
}

TEST_CASE("a refusal without the server's time has it in its header") {
  Site site;
  const auto login = site.login(false);
  const auto grant = test::run(site.loop, Login::get(login, test::within(20s)));
  REQUIRE(grant.has_value());
  const auto explained = [&](Duration ahead, Errc code) {
    return login->explain(*grant, {403, "", ahead}, {code, "no", ""}).detail;
  };

  CHECK(explained(61s, Errc::refused) ==
        "no; Weir's clock is 61 s behind that of the server; correct the clock of its node");
  CHECK(explained(-7min, Errc::refused) ==
        "no; Weir's clock is 7 min ahead of that of the server; correct the clock of its node");
  CHECK(explained(59s, Errc::refused) == "no");
  CHECK(explained(7min, Errc::unreachable) == "no");
}

}  // namespace weir::scalers::clients
