// A request as bytes, what it must not contain, and what is redacted from errors.
#include "scalers/clients/http/head.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::shown;
using namespace std::string_literals;

HttpRequest query() {
  HttpRequest out;
  out.url = {"http", "prom.ml", 9090, "/api/v1/query"};
  out.query = "query=up";
  return out;
}

std::string shown_in(const HttpRequest& request) {
  const auto injection = find_injection(request);
  return injection ? shown(*injection) : "nothing";
}

TEST_CASE("the default fields come first, then those of the request") {
  HttpRequest request = query();
  request.headers.push_back({"X-Scope-OrgID", Secret("team"), true});

  CHECK(header_lines(request) == std::vector<std::string>{"User-Agent: weir/" WEIR_VERSION,
                                                          "Accept: */*",
                                                          "Accept-Encoding: identity",
                                                          "X-Scope-OrgID: team"});
}

TEST_CASE("a field of the request replaces the default one, in any letter case") {
  HttpRequest request = query();
  request.method = "POST";
  request.headers.push_back({"accept", Secret("application/json"), false});
  request.headers.push_back({"CONTENT-TYPE", Secret("application/json"), false});

  CHECK(header_lines(request) == std::vector<std::string>{"User-Agent: weir/" WEIR_VERSION,
                                                          "Accept-Encoding: identity",
                                                          "accept: application/json",
                                                          "CONTENT-TYPE: application/json",
                                                          "Expect:"});
}

TEST_CASE("an empty field is sent, although libcurl takes a name without a value for its removal") {
  HttpRequest request = query();
  request.headers.push_back({"X-Empty", Secret(""), false});

  CHECK(header_lines(request).back() == "X-Empty;");

  request.headers.push_back({"X-Blank", Secret(" \t "), false});

  CHECK(header_lines(request).back() == "X-Blank;");
}

struct Target {
  std::string_view name;
  Url url;
  std::string_view query;
  std::string_view target;
  std::string_view absolute;
};

TEST_CASE("the target is the path as it is written, and the whole url for a proxy") {
  const Target rows[] = {
      {"no path", {"http", "prom.ml", 80, ""}, "", "/", "http://prom.ml/"},
      {"a path and a query",
       {"http", "prom.ml", 9090, "/a/../b"},
       "query=up",
       "/a/../b?query=up",
       "http://prom.ml:9090/a/../b?query=up"},
      {"the other's port", {"http", "prom.ml", 443, "/a"}, "", "/a", "http://prom.ml:443/a"},
      {"IPv6", {"http", "fd00::1", 80, "/a"}, "", "/a", "http://[fd00::1]/a"},
  };

  for (const Target& row : rows) {
    DYNAMIC_SECTION(row.name) {
      HttpRequest request;
      request.url = row.url;
      request.query = row.query;

      CHECK(target_of(request, false) == row.target);
      CHECK(target_of(request, true) == row.absolute);
    }
  }
}

struct Forged {
  std::string_view name;
  std::string header;
  std::string value;
};

TEST_CASE("a header that would forge another header is rejected") {
  const Forged rows[] = {
      {"a line feed", "X-A", "a\nX-B: b"},
      {"a carriage return", "X-A", "a\rb"},
      {"both", "X-A", "a\r\nX-B: b"},
      {"a NUL byte", "X-A", "a\0b"s},
      {"a line feed last", "Authorization", "Bearer a\n"},
      {"a line end in the name", "X-A: a\r\nX-B", "b"},
  };

  for (const Forged& row : rows) {
    DYNAMIC_SECTION(row.name) {
      HttpRequest request = query();
      request.headers.emplace_back(row.header, Secret(row.value));

      CHECK(shown_in(request) ==
            "refused: a header or credential contains a line break; write it on one line");
    }
  }
}

struct Odd {
  std::string_view name;
  std::string path;
  std::string query;
};

TEST_CASE("a path or query that would end the request line is rejected") {
  const Odd rows[] = {
      {"a blank", "/a b", ""},
      {"a line end", "/a\r\nX-B: b", ""},
      {"a NUL byte", "/a\0b"s, ""},
      {"a delete", "/a\x7f", ""},
      {"a line end in the query", "/a", "query=a\nb"},
  };

  for (const Odd& row : rows) {
    DYNAMIC_SECTION(row.name) {
      HttpRequest request = query();
      request.url.path = row.path;
      request.query = row.query;

      CHECK(shown_in(request) ==
            "refused: the url's path contains a space or a control character; percent-encode it "
            "(%20)");
    }
  }
  CHECK(shown_in(query()) == "nothing");
}

TEST_CASE("an error hides the host, the headers, the credentials and the query") {
  HttpRequest request;
  request.url = {"https", "prom.ml", 9090, "/x"};
  request.headers.push_back({"Authorization", Secret("Bearer t"), true});
  request.basic.emplace(Secret("me"), Secret("pw"));
  request.redactions = {"up{}"};

  CHECK(redactions_of(request) == std::vector<std::string>{"up{}",
                                                           "prom.ml:9090",
                                                           "prom.ml",
                                                           "Bearer t",
                                                           "me",
                                                           "pw",
                                                           "bWU6cHc="});
}

struct Encoded {
  std::string_view name;
  std::string text;
  std::string encoded;
};

TEST_CASE("percent-encoding does not change letters, digits and -._~") {
  const Encoded rows[] = {
      {"empty", "", ""},
      {"plain", "aZ09-._~", "aZ09-._~"},
      {"what separates", "a=b&c?d#e/f", "a%3Db%26c%3Fd%23e%2Ff"},
      {"a blank and a plus", " +", "%20%2B"},
      {"a percent sign", "%41", "%2541"},
      {"line ends and NUL", "\r\n\0"s, "%0D%0A%00"},
      {"UTF-8", "\u00e9", "%C3%A9"},
      {"a lone byte", "\xff", "%FF"},
  };

  for (const Encoded& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(percent_encoded(row.text) == row.encoded); }
  }
}

}  // namespace
}  // namespace weir::scalers::clients
