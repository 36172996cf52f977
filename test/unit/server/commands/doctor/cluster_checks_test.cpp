// Findings on failed queries and probes, and on permissions.
#include "server/commands/doctor/direct_probe.hpp"
#include "server/commands/doctor/permissions.hpp"
#include "server/commands/doctor/query.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::server::doctor {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::Result;
using scalers::clients::HttpReply;

const Query kQuestion{"Service n/s", "/x", "", "get services in n"};

TEST_CASE("why an object could not be read") {
  struct Row {
    std::string_view name;
    Result<HttpReply> reply;
    std::string_view what;  // empty: it can be
  };
  const std::string prefix = "it could not be read: ";
  const Row rows[] = {
      {"an object", HttpReply{200, "{}"}, ""},
      {"created", HttpReply{201, "{}"}, ""},
      {"missing", HttpReply{404, "x"}, ""},
      {"refused", HttpReply{403, "{}"}, "this account has no permission to get services in n"},
      {"a Status",
       HttpReply{500, R"({"message": "etcd"})"},
       "the kube-apiserver responded with 500: etcd"},
      {"an odd Status",
       HttpReply{429, R"({"message": 1})"},
       "the kube-apiserver responded with 429: {\"message\": 1}"},
      {"no Status", HttpReply{503, "busy"}, "the kube-apiserver responded with 503: busy"},
      {"a redirect", HttpReply{302, ""}, "the kube-apiserver responded with 302: "},
      {"no JSON", HttpReply{200, "<html>"}, "the response of the kube-apiserver is not JSON"},
      {"nothing", HttpReply{200, ""}, "the response of the kube-apiserver is not JSON"},
      {"late", Error{Errc::timed_out, "no response in time", ""}, "no response in time"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto found = unreadable(kQuestion, row.reply);

      CHECK((found ? found->what : "") == (row.what.empty() ? "" : prefix + std::string(row.what)));
    }
  }
}

TEST_CASE("a kube-apiserver that rejects the version request is still queried") {
  const Query version{"kube-apiserver", "/version", "", ""};

  CHECK_FALSE(unreachable_server(version, HttpReply{200, "{}"}).has_value());
  CHECK_FALSE(unreachable_server(version, HttpReply{403, "{}"}).has_value());
  CHECK(unreachable_server(version, HttpReply{401, "{}"})->severity == Severity::error);
  CHECK(unreachable_server(version, Error{Errc::tls, "TLS failed", ""})->what ==
        "it cannot be reached: TLS failed");
}

TEST_CASE("a response of /readyz, and responses that are not HTTP") {
  struct Row {
    std::string_view name;
    std::string_view answer;
    int status;
    std::string_view body;
  };
  const Row rows[] = {
      {"whole", "HTTP/1.1 200 OK\r\nA: b\r\n\r\nok", 200, "ok"},
      {"without a body", "HTTP/1.1 500 X\r\n\r\n", 500, ""},
      {"nothing", "", 0, ""},
      {"without an end", "HTTP/1.1 200 OK\r\nA: b\r\n", 0, ""},
      {"another version", "HTTP/1.0 200 OK\r\n\r\n", 0, ""},
      {"another protocol", "220 mail\r\n\r\n", 0, ""},
      {"two digits", "HTTP/1.1 20 OK\r\n\r\n", 0, ""},
      {"no digits", "HTTP/1.1 \r\n\r\n", 0, ""},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const DirectProbe found = parse_response(row.answer);

      CHECK(found.status == row.status);
      CHECK(found.body == row.body);
    }
  }
}

TEST_CASE("readiness names the checks that fail") {
  struct Row {
    std::string_view name;
    int status;
    std::string_view body;
    std::string_view what;
  };
  const Row rows[] = {
      {"ready", 200, "ok", "it is ready"},
      {"failing",
       500,
       "[+]ping ok\n[-]a failed: x\n[-]b failed: x\nreadyz check failed\n",
       "/readyz returned 500: a, b"},
      {"an odd body", 500, "[-]\n[-]a", "/readyz returned 500: a"},
      {"no checks", 404, "not found", "/readyz returned 404"},
      {"no HTTP", 0, "", "/readyz: the response is not HTTP"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(check_readiness("x", {{}, row.status, std::string(row.body)}).what == row.what);
    }
  }
}

TEST_CASE("permissions are shown as verb, resource and namespace") {
  CHECK(text_of(read_permission("*", "").attributes) == "list *.external.metrics.k8s.io");
  CHECK(text_of(read_permission("m", "ml").attributes) == "list m.external.metrics.k8s.io in ml");
  CHECK(text_of(own_permissions().back().attributes) ==
        "watch configmaps extension-apiserver-authentication in kube-system");
}

TEST_CASE("each missing permission is an error; without decisions there is no finding") {
  const std::vector<PermissionDecision> decisions{{read_permission("a", "n"), {true, ""}},
                                                  {read_permission("b", "n"), {false, "why"}},
                                                  {read_permission("c", "n"), {false, ""}}};

  const auto found = check_permissions("account", decisions);

  REQUIRE(found.size() == 2);
  CHECK(found[0].what == "it has no permission to list b.external.metrics.k8s.io in n: why");
  CHECK(found[1].what == "it has no permission to list c.external.metrics.k8s.io in n");
  CHECK(check_permissions("account", {}).empty());
}

TEST_CASE("a service account is reviewed with its groups") {
  const auto caller = service_account_user({"ns", "weir"});

  CHECK(caller.user == "system:serviceaccount:ns:weir");
  CHECK(caller.groups == std::vector<std::string>{"system:serviceaccounts",
                                                  "system:serviceaccounts:ns",
                                                  "system:authenticated"});
}

}  // namespace
}  // namespace weir::server::doctor
