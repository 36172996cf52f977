// What comes back from a question or a look, before anything is judged by it.
#include "server/commands/doctor/direct_probe.hpp"
#include "server/commands/doctor/question.hpp"
#include "server/commands/doctor/rights.hpp"

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

const Question kQuestion{"Service n/s", "/x", "", "get services in n"};

TEST_CASE("why an object could not be looked at") {
  struct Row {
    std::string_view name;
    Result<HttpReply> reply;
    std::string_view what;  // empty: it can be
  };
  const std::string prefix = "it could not be looked at: ";
  const Row rows[] = {
      {"an object", HttpReply{200, "{}"}, ""},
      {"created", HttpReply{201, "{}"}, ""},
      {"missing", HttpReply{404, "x"}, ""},
      {"refused", HttpReply{403, "{}"}, "this account may not get services in n"},
      {"a Status", HttpReply{500, R"({"message": "etcd"})"}, "the kube-apiserver says 500: etcd"},
      {"an odd Status",
       HttpReply{429, R"({"message": 1})"},
       "the kube-apiserver says 429: {\"message\": 1}"},
      {"no Status", HttpReply{503, "busy"}, "the kube-apiserver says 503: busy"},
      {"a redirect", HttpReply{302, ""}, "the kube-apiserver says 302: "},
      {"no JSON", HttpReply{200, "<html>"}, "the kube-apiserver's answer is no JSON"},
      {"nothing", HttpReply{200, ""}, "the kube-apiserver's answer is no JSON"},
      {"late", Error{Errc::timed_out, "no response in time", ""}, "no response in time"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto found = unseen(kQuestion, row.reply);

      CHECK((found ? found->what : "") == (row.what.empty() ? "" : prefix + std::string(row.what)));
    }
  }
}

TEST_CASE("a kube-apiserver that refuses its version goes on being asked") {
  const Question version{"kube-apiserver", "/version", "", ""};

  CHECK_FALSE(unreachable_server(version, HttpReply{200, "{}"}).has_value());
  CHECK_FALSE(unreachable_server(version, HttpReply{403, "{}"}).has_value());
  CHECK(unreachable_server(version, HttpReply{401, "{}"})->severity == Severity::error);
  CHECK(unreachable_server(version, Error{Errc::tls, "TLS failed", ""})->what ==
        "it cannot be asked: TLS failed");
}

TEST_CASE("an answer of /readyz, and what is none") {
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
      const DirectLook found = parse_answer(row.answer);

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
       "/readyz says 500: a, b"},
      {"an odd body", 500, "[-]\n[-]a", "/readyz says 500: a"},
      {"no checks", 404, "not found", "/readyz says 404"},
      {"no HTTP", 0, "", "/readyz: what came back is no HTTP answer"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(judge_readiness("x", {{}, row.status, std::string(row.body)}).what == row.what);
    }
  }
}

TEST_CASE("rights are told as verb, resource and place") {
  CHECK(text_of(reading_right("*", "").asked) == "list *.external.metrics.k8s.io");
  CHECK(text_of(reading_right("m", "ml").asked) == "list m.external.metrics.k8s.io in ml");
  CHECK(text_of(own_rights().back().asked) ==
        "watch configmaps extension-apiserver-authentication in kube-system");
}

TEST_CASE("each right that is missing is an error; nothing asked is nothing said") {
  const std::vector<Judged> judged{{reading_right("a", "n"), {true, ""}},
                                   {reading_right("b", "n"), {false, "why"}},
                                   {reading_right("c", "n"), {false, ""}}};

  const auto found = judge_rights("account", judged);

  REQUIRE(found.size() == 2);
  CHECK(found[0].what == "it may not list b.external.metrics.k8s.io in n: why");
  CHECK(found[1].what == "it may not list c.external.metrics.k8s.io in n");
  CHECK(judge_rights("account", {}).empty());
}

TEST_CASE("a service account is asked about with the groups that it has") {
  const auto caller = caller_of({"ns", "weir"});

  CHECK(caller.user == "system:serviceaccount:ns:weir");
  CHECK(caller.groups == std::vector<std::string>{"system:serviceaccounts",
                                                  "system:serviceaccounts:ns",
                                                  "system:authenticated"});
}

}  // namespace
}  // namespace weir::server::doctor
