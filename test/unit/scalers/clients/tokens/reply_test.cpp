// What token endpoints respond: tokens, and their many ways to have none.
#include "scalers/clients/tokens/reply.hpp"

#include "scalers/clients/tokens/aws.hpp"
#include "scalers/clients/tokens/google.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

// 2026-01-31T11:20:00Z
const WallTime kNow{std::chrono::seconds(1'769'858'400)};
const std::vector<std::string> kRedactions{"s3cret-assertion"};

// "name: message", or the token with its life in seconds.
std::string shown(const Result<Grant>& grant) {
  if (!grant) return std::string(name_of(grant.error().code)) + ": " + grant.error().message();
  std::string out =
      grant->key_id + " " + grant->secret.reveal() + " " + grant->session_token.reveal();
  return out + " " + std::to_string(grant->life.value_or(0ms).count() / 1000);
}

std::string bearer(long status, const std::string& body) {
  return shown(parse_bearer("the token endpoint", {status, body}, kRedactions, kNow));
}

struct Row {
  std::string name;
  long status;
  std::string body;
  std::string shown;
};

}  // namespace

TEST_CASE("a token comes with its life") {
  const Row rows[] = {
      {"as in the standard",
       200,
       R"({"access_token":"t","token_type":"Bearer","expires_in":3599})",
       " t  3599"},
      {"a life in quotes", 200, R"({"access_token":"t","expires_in":"3599"})", " t  3599"},
      {"no life", 200, R"({"access_token":"t","token_type":"bearer"})", " t  300"},
      {"a life of years", 200, R"({"access_token":"t","expires_in":1e300})", " t  86400"},
      {"a life that is infinite", 200, R"({"access_token":"t","expires_in":"inf"})", " t  86400"},
      {"no life left",
       200,
       R"({"access_token":"t","expires_in":0})",
       "bad_reply: the token endpoint responds with a token that has no life left (expires_in)"},
      {"a life that is no number",
       200,
       R"({"access_token":"t","expires_in":"soon"})",
       "bad_reply: the token endpoint responds with a token that has no life left (expires_in)"},
      {"another type",
       200,
       R"({"access_token":"t","token_type":"mac"})",
       "bad_reply: the token endpoint responds with a token of another type than Bearer: mac"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(bearer(row.status, row.body) == row.shown);
  }
}

TEST_CASE("a response without a token is an error in the provider's own words") {
  const std::string refused = "refused: the token endpoint refuses the login ";
  const Row rows[] = {
      {"OAuth 2.0",
       401,
       R"({"error":"invalid_client","error_description":"Client authentication failed"})",
       refused + "(HTTP 401): invalid_client: Client authentication failed"},
      {"without a description",
       400,
       R"({"error":"invalid_scope"})",
       refused + "(HTTP 400): invalid_scope"},
      {"Google",
       403,
       R"({"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED"}})",
       refused + "(HTTP 403): PERMISSION_DENIED: Permission denied"},
      {"problem details",
       403,
       R"({"title":"Forbidden","status":403,"detail":"the client is locked"})",
       refused + "(HTTP 403): Forbidden: the client is locked"},
      {"a gateway in front",
       403,
       R"({"Message":"User: U is not authorized"})",
       refused + "(HTTP 403): [hidden] is not authorized"},
      {"JSON of an unknown form", 403, R"({"id_token":"a-real-secret"})", refused + "(HTTP 403)"},
      {"a secret of the request",
       400,
       R"({"error":"bad s3cret-assertion"})",
       refused + "(HTTP 400): bad [hidden]"},
      {"a host",
       400,
       "cannot reach idp.corp.internal",
       refused + "(HTTP 400): cannot reach [hidden]"},
      {"nothing", 403, "", refused + "(HTTP 403)"},
      {"a page that was not found",
       404,
       "<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>",
       "bad_reply: the token endpoint responds with a web page in place of a token (HTTP 404); is "
       "its url right?: 404 Not Found"},
      {"a page for people to log in",
       200,
       "\n<html><head><title>Sign in &amp; go</title>",
       "bad_reply: the token endpoint responds with a web page in place of a token (HTTP 200); is "
       "its url right?: Sign in & go"},
      {"a page without a title",
       200,
       "<HTML></HTML>",
       "bad_reply: the token endpoint responds with a web page in place of a token (HTTP 200); is "
       "its url right?"},
      {"a redirect",
       302,
       "",
       "bad_reply: the token endpoint redirects to another url (HTTP 302), which is not followed; "
       "write the final url"},
      {"too many",
       429,
       R"({"error":"slow_down"})",
       "overloaded: the token endpoint limits the rate of logins (HTTP 429): slow_down"},
      {"an error of its own",
       503,
       "<html><title>503 Service Unavailable</title></html>",
       "unreachable: the token endpoint returned an error (HTTP 503): 503 Service Unavailable"},
      {"an error with status 200",
       200,
       R"({"error":"invalid_grant"})",
       "bad_reply: the token endpoint responds without a token (HTTP 200): invalid_grant"},
      {"another token alone",
       200,
       R"({"id_token":"a-real-secret"})",
       "bad_reply: the token endpoint responds without a token (HTTP 200)"},
      {"a page that begins with a comment",
       403,
       "<!-- x --><HTML><TITLE>Access\n denied</TITLE></HTML>",
       "bad_reply: the token endpoint responds with a web page in place of a token (HTTP 403); is "
       "its url right?: Access denied"},
      {"a page without <html>",
       403,
       "<title>Blocked by the firewall</title>",
       "bad_reply: the token endpoint responds with a web page in place of a token (HTTP 403); is "
       "its url right?: Blocked by the firewall"},
      {"a token as a JSON text",
       200,
       R"("a-real-secret")",
       "bad_reply: the token endpoint responds without a token (HTTP 200)"},
      {"a token as text",
       200,
       "a-real-secret",
       "bad_reply: the token endpoint responds without a token (HTTP 200)"},
      {"an empty token",
       200,
       R"({"access_token":""})",
       "bad_reply: the token endpoint responds without a token (HTTP 200)"},
      {"a clock",
       401,
       R"({"error":"invalid_client","error_description":"AADSTS700024: Current time: 2026-01-31T12:20:00Z, x"})",
       refused +
           "(HTTP 401); Weir's clock is 60 min behind that of the server; correct the clock of its "
           "node: invalid_client: AADSTS700024: Current time: 2026-01-31T12:20:00Z, x"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(bearer(row.status, row.body) == row.shown);
  }
}

TEST_CASE("a refusal names a clock that differs from the server's by its header Date") {
  const auto detail = [](long status, Duration ahead) {
    const HttpReply reply{status, R"({"error":"invalid_client"})", ahead};
    return no_token("the token endpoint", reply, {}, kNow).detail;
  };
  const std::string refused = "the token endpoint refuses the login (HTTP 401)";

  CHECK(detail(401, -7min) == refused +
                                  "; Weir's clock is 7 min ahead of that of the server; "
                                  "correct the clock of its node");
  CHECK(detail(401, 2h) == refused +
                               "; Weir's clock is 2 h behind that of the server; correct "
                               "the clock of its node");
  CHECK(detail(401, 50s) == refused);
  CHECK(detail(500, 2h) == "the token endpoint returned an error (HTTP 500)");
}

TEST_CASE("keys of STS are read from its XML, and its refusals are its own words") {
  const std::string good =
      "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
      "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>"
      "<SecretAccessKey>sec/ret+</SecretAccessKey><SessionToken>tok==</SessionToken>"
      "<Expiration>2026-01-31T12:20:00Z</Expiration></Credentials>";
  std::string ended = good;
  ended.replace(ended.find("12:20:00Z"), 9, "11:00:00Z");
  const Row rows[] = {
      {"keys", 200, good, "ASIA1 sec/ret+ tok== 3600"},
      {"keys that have ended",
       200,
       ended,
       "bad_reply: STS responds with credentials that ended 20 min ago; is Weir's clock ahead?"},
      {"a part of the keys",
       200,
       "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>sec</SecretAccessKey>",
       "bad_reply: STS responds without a token (HTTP 200)"},
      {"a part of the keys after a prologue",
       200,
       "<?xml version=\"1.0\"?><A><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>sec"
       "</SecretAccessKey></A>",
       "bad_reply: STS responds without a token (HTTP 200)"},
      {"a refusal after a prologue",
       403,
       "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No&#39;s</Message></Error>",
       "refused: STS refuses the login (HTTP 403): AccessDenied: No's"},
      {"a refusal",
       403,
       "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized "
       "to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>",
       "refused: STS refuses the login (HTTP 403): AccessDenied: Not authorized to perform "
       "sts:AssumeRoleWithWebIdentity"},
      {"another audience",
       400,
       "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>Incorrect token "
       "audience</Message></Error></ErrorResponse>",
       "refused: STS refuses the login (HTTP 400): InvalidIdentityToken: Incorrect token audience"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(shown(parse_sts({row.status, row.body}, kRedactions, kNow)) == row.shown);
  }
}

TEST_CASE("keys of the Pod Identity agent are read from its JSON") {
  const Row rows[] = {
      {"keys",
       200,
       R"({"AccessKeyId":"ASIA1","SecretAccessKey":"sec","Token":"tok","AccountId":"1","Expiration":"2026-01-31T17:20:00Z"})",
       "ASIA1 sec tok 21600"},
      {"no end",
       200,
       R"({"AccessKeyId":"ASIA1","SecretAccessKey":"sec","Token":"tok"})",
       "bad_reply: the Pod Identity agent responds with credentials without the time when they "
       "end"},
      {"an end that is years away",
       200,
       R"({"AccessKeyId":"ASIA1","SecretAccessKey":"sec","Token":"tok","Expiration":"2199-12-31T23:59:59Z"})",
       "ASIA1 sec tok 86400"},
      {"no keys",
       200,
       R"({"Token":"tok"})",
       "bad_reply: the Pod Identity agent responds without a token (HTTP 200)"},
      {"a refusal",
       400,
       "[2a]: (ResourceNotFoundException): The token is not associated with a role",
       "refused: the Pod Identity agent refuses the login (HTTP 400): [2a]: "
       "(ResourceNotFoundException): The token is not associated with a role"},
      {"a refusal in JSON",
       403,
       R"({"code":"AccessDenied","message":"token is not valid"})",
       "refused: the Pod Identity agent refuses the login (HTTP 403): AccessDenied: token is not "
       "valid"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(shown(parse_agent({row.status, row.body}, kRedactions, kNow)) == row.shown);
  }
}

TEST_CASE("a token that cannot be a part of a header is an error that does not quote it") {
  const std::string front = "bad_reply: the token endpoint responds with a token that contains ";
  const Row rows[] = {
      {"CR", 200, R"({"access_token":"a\rb"})", front + "a control character"},
      {"LF at its end", 200, R"({"access_token":"ab\n"})", front + "a control character"},
      {"NUL", 200, R"({"access_token":"a\u0000b"})", front + "a control character"},
      {"DEL", 200, R"({"access_token":"a\u007fb"})", front + "a control character"},
      {"a space", 200, R"({"access_token":"a b"})", front + "a space"},
      {"a letter", 200, R"({"access_token":"a\u00e9"})", front + "a character outside of ASCII"},
      {"all that is visible", 200, R"({"access_token":"!~-._+/="})", " !~-._+/=  300"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(bearer(row.status, row.body) == row.shown);
  }
  const std::string end = "<Expiration>2026-01-31T12:20:00Z</Expiration>";
  const std::string sts =
      "<AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>a\r\nX: b"
      "</SessionToken>" +
      end;
  CHECK(shown(parse_sts({200, sts}, kRedactions, kNow)) ==
        "bad_reply: STS responds with a token that contains a control character");
  for (const std::string members : {R"("AccessKeyId":"A\n","SecretAccessKey":"s","Token":"t")",
                                    R"("AccessKeyId":"A","SecretAccessKey":"s\n","Token":"t")",
                                    R"("AccessKeyId":"A","SecretAccessKey":"s","Token":"t\n")"}) {
    INFO(members);
    const std::string agent = "{" + members + R"(,"Expiration":"2026-01-31T12:20:00Z"})";
    CHECK(shown(parse_agent({200, agent}, kRedactions, kNow)) ==
          "bad_reply: the Pod Identity agent responds with a token that contains a control "
          "character");
  }
}

TEST_CASE("credentials live for a day at most") {
  CHECK(life_until("STS", "2026-02-01T11:19:59Z", kNow).value() == 24h - 1s);
  CHECK(life_until("STS", "2026-02-01T11:20:01Z", kNow).value() == 24h);
  CHECK(life_until("STS", "2200-12-31T23:59:59Z", kNow).value() == 24h);
}

TEST_CASE("STS is asked in the region of the workspace") {
  CHECK(regional_sts("eu-west-1").text() == "https://sts.eu-west-1.amazonaws.com:443");
  CHECK(regional_sts("cn-north-1").text() == "https://sts.cn-north-1.amazonaws.com.cn:443");
}

TEST_CASE("a file of workload identity federation is read") {
  const auto found = parse_federation(
      R"({"type":"external_account","audience":"//iam.googleapis.com/p","subject_token_type":)"
      R"("urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token",)"
      R"("credential_source":{"file":"/t","format":{"type":"json","subject_token_field_name":"f"}},)"
      R"("service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/)"
      R"(serviceAccounts/weir@p.iam.gserviceaccount.com:generateAccessToken"})");

  REQUIRE(found.has_value());
  CHECK(found->audience == "//iam.googleapis.com/p");
  CHECK(found->subject_token.path() == "/t");
  CHECK(found->json_field == "f");
  CHECK(found->token_url.text() == "https://sts.googleapis.com:443/v1/token");
  CHECK(found->impersonation_url.path ==
        "/v1/projects/-/serviceAccounts/weir@p.iam.gserviceaccount.com:generateAccessToken");
}

TEST_CASE("a file of google that is of another kind, or sends tokens without TLS, is refused") {
  const std::string front = "the file of google's credentials ";
  const std::string good =
      R"({"type":"external_account","audience":"a","subject_token_type":"t","credential_source":)";
  struct BadFile {
    std::string name;
    std::string text;
    std::string detail;
  };
  const BadFile rows[] = {
      {"no JSON", "x", front + "is not JSON"},
      {"a key",
       R"({"type":"service_account","private_key":"k"})",
       front +
           "is not one of workload identity federation (\"type\": \"external_account\"); keys of "
           "service accounts are not supported, because they never expire"},
      {"a source that is a url",
       good + R"({"url":"http://x"},"token_url":"https://s"})",
       front + "has no audience, subject_token_type or credential_source.file; write it by gcloud "
               "iam workload-identity-pools create-cred-config --credential-source-file"},
      {"a source that is a text",
       good + R"("x","token_url":"https://s"})",
       front + "has no audience, subject_token_type or credential_source.file; write it by gcloud "
               "iam workload-identity-pools create-cred-config --credential-source-file"},
      {"no TLS",
       good + R"({"file":"/t"},"token_url":"http://s"})",
       front + "has no token_url with https://"},
      {"no TLS for the account",
       good +
           R"({"file":"/t"},"token_url":"https://s","service_account_impersonation_url":"http://i"})",
       front + "has a service_account_impersonation_url without https://"},
  };
  for (const BadFile& row : rows) {
    INFO(row.name);
    const auto found = parse_federation(row.text);
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().detail == row.detail);
    CHECK(found.error().code == Errc::refused);
  }
}

}  // namespace weir::scalers::clients
