#include "server/http/health.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using apiservice::Request;
using apiservice::Response;
using Query = std::vector<std::pair<std::string, std::string>>;

struct Row {
  std::string_view name;
  std::string_view path;
  Query query;
  int status;
  std::string_view body;
};

Response ask(const Health& health, std::string_view path, const Query& query) {
  Request request;
  request.method = "GET";
  request.path = std::string(path);
  request.query = query;
  return health.respond(request);
}

void check(const Health& health, const Row& row) {
  DYNAMIC_SECTION(row.name) {
    const Response response = ask(health, row.path, row.query);

    CHECK(response.status == row.status);
    CHECK(response.body == row.body);
    CHECK(response.content_type == "text/plain; charset=utf-8");
  }
}

TEST_CASE("a healthy server responds ok, and lists its checks with ?verbose") {
  const Row rows[] = {
      {"case 76: healthz", "/healthz", {}, 200, "ok"},
      {"case 76: livez", "/livez", {}, 200, "ok"},
      {"case 76: readyz", "/readyz", {}, 200, "ok"},
      {"with a slash", "/readyz/", {}, 200, "ok"},
      {"livez, verbose", "/livez", {{"verbose", ""}}, 200, "[+]ping ok\nlivez check passed\n"},
      {"healthz, verbose",
       "/healthz",
       {{"verbose", "1"}},
       200,
       "[+]ping ok\nhealthz check passed\n"},
      {"case 77: readyz, verbose",
       "/readyz",
       {{"verbose", ""}},
       200,
       "[+]ping ok\n[+]shutdown ok\nreadyz check passed\n"},
      {"case 78: one excluded",
       "/readyz",
       {{"exclude", "ping"}, {"verbose", ""}},
       200,
       "[+]ping excluded: ok\n[+]shutdown ok\nreadyz check passed\n"},
      {"one excluded twice",
       "/livez",
       {{"exclude", "ping"}, {"exclude", "ping"}, {"verbose", ""}},
       200,
       "[+]ping excluded: ok\nlivez check passed\n"},
      {"an unknown one excluded",
       "/livez",
       {{"exclude", "x"}, {"verbose", ""}},
       200,
       "[+]ping ok\nwarn: some health checks cannot be excluded: no matches for \"x\"\n"
       "livez check passed\n"},
      {"two unknown ones excluded",
       "/livez",
       {{"exclude", "a"}, {"exclude", "ping"}, {"exclude", "b"}, {"verbose", ""}},
       200,
       "[+]ping excluded: ok\nwarn: some health checks cannot be excluded: no matches for "
       "\"a\",\"b\"\nlivez check passed\n"},
      {"another endpoint's check excluded",
       "/livez",
       {{"exclude", "shutdown"}, {"verbose", ""}},
       200,
       "[+]ping ok\nwarn: some health checks cannot be excluded: no matches for \"shutdown\"\n"
       "livez check passed\n"},
      {"an unknown one excluded, in few words", "/livez", {{"exclude", "x"}}, 200, "ok"},
      {"an unknown parameter", "/livez", {{"Verbose", ""}}, 200, "ok"},
      {"case 81: one check", "/healthz/ping", {}, 200, "ok"},
      {"one check, verbose", "/readyz/shutdown", {{"verbose", ""}}, 200, "ok"},
      {"an unknown check", "/livez/x", {}, 404, "404 page not found\n"},
      {"another endpoint's check", "/livez/shutdown", {}, 404, "404 page not found\n"},
      {"a check's name in capitals", "/livez/PING", {}, 404, "404 page not found\n"},
      {"below a check", "/livez/ping/x", {}, 404, "404 page not found\n"},
      {"a check after two slashes", "/livez//ping", {}, 404, "404 page not found\n"},
  };

  for (const Row& row : rows) check({}, row);
}

TEST_CASE("case 117: at shutdown readyz fails, with every check listed, and livez still succeeds") {
  Health health;
  health.begin_shutdown();
  const std::string_view failed =
      "[+]ping ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n";
  const Row rows[] = {
      {"readyz", "/readyz", {}, 500, failed},
      {"case 80: readyz, verbose", "/readyz", {{"verbose", ""}}, 500, failed},
      {"with a slash", "/readyz/", {}, 500, failed},
      {"another check excluded",
       "/readyz",
       {{"exclude", "ping"}},
       500,
       "[+]ping excluded: ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n"},
      {"an unknown check excluded",
       "/readyz",
       {{"exclude", "x"}},
       500,
       "[+]ping ok\n[-]shutdown failed: reason withheld\nwarn: some health checks cannot be "
       "excluded: no matches for \"x\"\nreadyz check failed\n"},
      {"the check itself", "/readyz/shutdown", {}, 500, "internal server error: shutdown failed\n"},
      {"shutdown excluded", "/readyz", {{"exclude", "shutdown"}}, 200, "ok"},
      {"shutdown excluded, verbose",
       "/readyz",
       {{"exclude", "shutdown"}, {"verbose", ""}},
       200,
       "[+]ping ok\n[+]shutdown excluded: ok\nreadyz check passed\n"},
      {"the other check", "/readyz/ping", {}, 200, "ok"},
      {"livez", "/livez", {}, 200, "ok"},
      {"healthz", "/healthz", {}, 200, "ok"},
      {"livez, verbose", "/livez", {{"verbose", ""}}, 200, "[+]ping ok\nlivez check passed\n"},
  };

  for (const Row& row : rows) check(health, row);
}

TEST_CASE("case 106: a failed check makes readyz fail, and only readyz") {
  Health health;
  health.report("authentication-config", false);
  const Row failing[] = {
      {"readyz",
       "/readyz",
       {},
       500,
       "[+]ping ok\n[-]authentication-config failed: reason withheld\n[+]shutdown ok\n"
       "readyz check failed\n"},
      {"by name",
       "/readyz/authentication-config",
       {},
       500,
       "internal server error: authentication-config failed\n"},
      {"livez", "/livez", {}, 200, "ok"},
      {"healthz", "/healthz", {}, 200, "ok"},
  };

  for (const Row& row : failing) check(health, row);
  health.report("authentication-config", true);
  check(health, {"recovered", "/readyz", {}, 200, "ok"});
}

TEST_CASE("any method gets a response") {
  const Health health;
  Request request;
  request.method = "POST";
  request.path = "/livez";

  CHECK(health.respond(request).status == 200);
}

TEST_CASE("anonymous callers may get the three exact paths, and no others") {
  struct Path {
    std::string_view path;
    bool is_open;
    bool is_owned;
  };
  const Path rows[] = {
      {"/healthz", true, true},
      {"/livez", true, true},
      {"/readyz", true, true},
      {"/readyz/", false, true},
      {"/readyz/ping", false, true},
      {"/healthz/x/y", false, true},
      {"/livezz", false, false},
      {"/Livez", false, false},
      {"/livez ", false, false},
      {"//livez", false, false},
      {"/livez?", false, false},
      {"livez", false, false},
      {"/", false, false},
      {"", false, false},
      {"/apis", false, false},
      {"/metrics", false, false},
  };

  for (const Path& row : rows) {
    DYNAMIC_SECTION("path '" << row.path << "'") {
      CHECK(Health::is_open(row.path) == row.is_open);
      CHECK(Health::owns(row.path) == row.is_owned);
    }
  }
}

}  // namespace
}  // namespace weir::server
