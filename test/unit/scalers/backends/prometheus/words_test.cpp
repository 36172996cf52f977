// The words of refusals in the forms of hosted services, gateways and proxies.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers::backends::prometheus {
namespace {

using test::shown;

struct Reply {
  std::string_view name;
  long status;
  std::string body;
  std::string message;
};

void check(const Reply& row) {
  DYNAMIC_SECTION(row.name) {
    const auto sample = parse_reply(row.status, row.body, Aggregate::none, Warnings::error, {});

    CHECK(shown(sample) == row.message);
  }
}

// Field reports 9 and 17. The words say what is missing: a region, a permission, a path, a quota.
TEST_CASE("a refusal is shown with the server's words, whatever their form") {
  const Reply rows[] = {
      {"AWS, a wrong region",
       403,
       R"({"message":"Credential should be scoped to a valid region. "})",
       "refused: the credentials are refused (HTTP 403) <Credential should be scoped to a valid "
       "region.>"},
      {"AWS, no permission",
       403,
       R"({"Message":"User: U is not authorized to perform: aps:QueryMetrics on resource: R"})",
       "refused: the credentials are refused (HTTP 403) <[hidden] is not authorized to perform: "
       "aps:QueryMetrics on resource: R>"},
      {"Google, no permission",
       403,
       R"({"error":{"code":403,"message":"Permission denied.","status":"PERMISSION_DENIED"}})",
       "refused: the credentials are refused (HTTP 403) <PERMISSION_DENIED: Permission denied.>"},
      {"Google, a quota",
       429,
       R"({"error":{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED"}})",
       "overloaded: the server is rate limiting queries (HTTP 429) <RESOURCE_EXHAUSTED: Quota "
       "exceeded.>"},
      {"Google, unavailable",
       503,
       R"({"error":{"code":503,"message":"Try again.","status":"UNAVAILABLE"}})",
       "unreachable: the server returned an error (HTTP 503) <UNAVAILABLE: Try again.>"},
      {"Google, a wrong argument",
       400,
       R"({"error":{"code":400,"message":"Invalid argument.","status":"INVALID_ARGUMENT"}})",
       "bad_reply: HTTP 400 without a query result <INVALID_ARGUMENT: Invalid argument.>"},
      {"a path that VictoriaMetrics does not know",
       400,
       R"(unsupported path requested: "/select/0/promethues")",
       "bad_reply: HTTP 400 without a query result <unsupported path requested: "
       "\"/select/0/promethues\">"},
      {"a query that is too long for a url",
       414,
       "<html><body>URI Too Long</body></html>",
       "bad_reply: HTTP 414: the query is too long for a url; set method: POST on the backend <URI "
       "Too Long>"},
      {"a query that is too long for a head",
       431,
       "",
       "bad_reply: HTTP 431: the query is too long for a url; set method: POST on the backend"},
      {"VictoriaMetrics, a wrong query",
       422,
       R"({"status":"error","errorType":"422","error":"error when executing query=x"})",
       "bad_request: the query is not valid <error when executing query=x>"},
      {"VictoriaMetrics, too many queries",
       429,
       R"({"status":"error","errorType":"429","error":"couldn't start executing"})",
       "overloaded: the server is rate limiting queries (HTTP 429) <couldn't start executing>"},
      {"Azure, a token",
       401,
       R"({"error":{"code":"InvalidToken","message":"The token is not valid."}})",
       "refused: the credentials are refused (HTTP 401) <InvalidToken: The token is not valid.>"},
      {"a code and a status alone",
       403,
       R"({"error":{"code":403,"status":"PERMISSION_DENIED"}})",
       "refused: the credentials are refused (HTTP 403) <PERMISSION_DENIED>"},
      {"OAuth2",
       401,
       R"({"error":"invalid_token","error_description":"The token expired"})",
       "refused: the credentials are refused (HTTP 401) <invalid_token: The token expired>"},
      {"Kubernetes",
       403,
       R"({"kind":"Status","status":"Failure","message":"no access","reason":"Forbidden","code":403})",
       "refused: the credentials are refused (HTTP 403) <no access>"},
      {"problem details",
       400,
       R"({"type":"about:blank","title":"Bad tenant","status":400,"detail":"no tenant given"})",
       "bad_reply: HTTP 400 without a query result <Bad tenant: no tenant given>"},
      {"a list of errors",
       500,
       R"({"errors":[{"message":"shard 3 failed"},{"message":"x"}]})",
       "unreachable: the server returned an error (HTTP 500) <shard 3 failed>"},
      {"a list around the error",
       403,
       R"([{"error":{"code":403,"message":"Permission denied."}}])",
       "refused: the credentials are refused (HTTP 403) <Permission denied.>"},
      {"a failed query whose error is an object",
       400,
       R"({"status":"error","errorType":"bad_data","error":{"message":"unexpected end"}})",
       "bad_request: the query is not valid <unexpected end>"},
      {"a JSON text",
       403,
       R"("no entry")",
       "refused: the credentials are refused (HTTP 403) <no entry>"},
      {"a list in a list in a list",
       403,
       R"([[[[[[["deep"]]]]]]])",
       "refused: the credentials are refused (HTTP 403)"},
      {"a page of nginx",
       502,
       "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
       "Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>",
       "unreachable: the server returned an error (HTTP 502) <502 Bad Gateway>"},
      {"a page of HAProxy",
       503,
       "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this "
       "request.\n</body></html>\n",
       "unreachable: the server returned an error (HTTP 503) <503 Service Unavailable No server is "
       "available to handle this request.>"},
      {"XML of AWS",
       400,
       "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>the region "
       "is wrong</Message></Error>",
       "bad_reply: HTTP 400 without a query result <AuthorizationHeaderMalformed: the region is "
       "wrong>"},
      {"a page for a login under HTTP 200",
       200,
       "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
       "bad_reply: the response is a page for browsers; is there a login page or another server at "
       "this url? <Sign in>"},
  };

  for (const Reply& row : rows) check(row);
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
