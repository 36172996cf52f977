// Signatures of queries, computed by another implementation, and what a signature covers.
#include "scalers/clients/net/digest.hpp"
#include "scalers/clients/tokens/sigv4.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

constexpr const char* kKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

using Headers = std::vector<std::pair<std::string, std::string>>;

// In November 2026.
WallTime at(unsigned day, std::chrono::seconds of_day) {
  return WallTime(std::chrono::sys_days(std::chrono::year(2026) / std::chrono::month(11) /
                                        std::chrono::day(day))) +
         of_day;
}

std::string signature_of(const std::string& authorization) {
  return authorization.substr(authorization.rfind('=') + 1);
}

}  // namespace

TEST_CASE("queries to a workspace have the signatures that botocore 1.44 computes") {
  constexpr const char* kSession = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCWV1+w==";
  struct Row {
    std::string name;
    std::string method;
    std::string path;
    std::string query;
    std::string body;
    std::string session;
    std::string signature;
  };
  const Row rows[] = {
      {"a query with all that PromQL has",
       "GET",
       "/workspaces/ws-0a1b2c3d/api/v1/query",
       "query=sum%20by%20%28q%29%20%28rate%28jobs_total%7Bqueue%3D~%22ml%5C.%5Ba-z%5D%2B%22%2Cunit%"
       "21%3D%22%25%22%7D%5B5m%5D%29%29%20%2B%201&timeout=2500ms",
       "",
       "",
       "7c525cb92cfa4d0b1068c287a9f6f0de1af729214da91943bc65ceea59c4863d"},
      {"blanks, plus, quotes, non-ASCII",
       "GET",
       "/workspaces/ws-0a1b2c3d/api/v1/query",
       "query=x%7Ba%3D%22%C3%A9%20%27%2B%27%20%E6%97%A5%E6%9C%AC%22%7D%20%2A%202&timeout=1ms",
       "",
       "",
       "531c7ad67d2ed3ecac3cf6949eca6920e33c61d60261ac24ec4424dda6a7d70b"},
      {"parameters that sort before query",
       "GET",
       "/workspaces/ws-0a1b2c3d/api/v1/query",
       "query=up&timeout=9ms&extra_label=team%3D%22a%20b%22&Z=1&extra_label=env%3D%C3%A9%26x",
       "",
       "",
       "6802a5c03309937517a5343a984f2ede0af164faa7c89bcabf4d5d71f826a6fa"},
      {"temporary keys",
       "GET",
       "/workspaces/ws-0a1b2c3d/api/v1/query",
       "query=up&timeout=9ms",
       "",
       kSession,
       "d266b02aec50d9e25fab3bb8b67a284770f9a50822e4f9ffb6aadd3fd9261778"},
      {"a form",
       "POST",
       "/workspaces/ws-0a1b2c3d/api/v1/query",
       "",
       "query=max%28up%7Bjob%3D%22a%2Fb%22%7D%29&timeout=9ms",
       kSession,
       "97ab4e3d17f433b8c5cd18e8ff5097c7c913ddcb1308acff830541847c737676"},
      {"a form, and parameters of the backend",
       "POST",
       "/workspaces/ws-0a1b2c3d/api/v1/query",
       "namespace=team%20a",
       "query=up&timeout=9ms",
       "",
       "e61ad7a4425717482a33fbf6181748ea75d1883c5d14c41d70c9c018499f2c9c"},
      {"an escape in the path",
       "GET",
       "/a%20b/%2e%2E/ws/api/v1/label/__name__/values",
       "",
       "",
       "",
       "849ad080abf7ff331e2305569914f292f98db711a2ba792add0124d017a40b44"},
      {"a path with slashes and dots",
       "GET",
       "/x//y/./../ws/api/v1/query",
       "query=up",
       "",
       "",
       "1e859fef764be29efe99362d7b3f30dde6a156f0f21cb72fca0b67a5a9b4af76"},
  };
  const WallTime time = at(30, std::chrono::seconds(86399));
  const Signer signer{"ASIAEXAMPLE", Secret(kKey), "eu-west-1", "aps"};
  for (const Row& row : rows) {
    INFO(row.name);
    Headers headers{{"Host", "aps-workspaces.eu-west-1.amazonaws.com"},
                    {"X-Amz-Date", amz_date(time)}};
    if (!row.session.empty()) headers.emplace_back("X-Amz-Security-Token", row.session);

    const std::string authorization =
        authorization_of({row.method, row.path, row.query, headers, row.body}, signer, time);

    CHECK(signature_of(authorization) == row.signature);
  }
}

TEST_CASE("digests are those of the standards' examples") {
  // FIPS 180-4, "abc"; RFC 4231, test case 2.
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("a signature covers every part of a request, and its time") {
  const WallTime time = at(30, std::chrono::seconds(1));
  const Signer signer{"ASIAEXAMPLE", Secret(kKey), "eu-west-1", "aps"};
  const SignedRequest request{"POST", "/a", "b=1", {{"Host", "h"}}, "c=2"};
  const std::string signature = authorization_of(request, signer, time);

  SignedRequest method = request;
  method.method = "GET";
  SignedRequest path = request;
  path.path = "/A";
  SignedRequest query = request;
  query.query = "b=2";
  SignedRequest host = request;
  host.headers[0].second = "i";
  SignedRequest body = request;
  body.body = "c=3";

  CHECK(signature_of(authorization_of(method, signer, time)) != signature_of(signature));
  CHECK(signature_of(authorization_of(path, signer, time)) != signature_of(signature));
  CHECK(signature_of(authorization_of(query, signer, time)) != signature_of(signature));
  CHECK(signature_of(authorization_of(host, signer, time)) != signature_of(signature));
  CHECK(signature_of(authorization_of(body, signer, time)) != signature_of(signature));
  CHECK(signature_of(authorization_of(request, signer, time + std::chrono::seconds(1))) !=
        signature_of(signature));
}

}  // namespace weir::scalers::clients
