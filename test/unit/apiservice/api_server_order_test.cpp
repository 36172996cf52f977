// The order of the API's checks, discovery, and errors of the source.
#include "test/rigs/api_rig.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::Errc;
using scalers::Error;
using test::ApiRig;
using test::proxied_request;

const std::string kBase = "/apis/external.metrics.k8s.io/v1beta1";
const std::string kMetric = kBase + "/namespaces/default/queue-len";

struct Order {
  std::string_view name;
  Request request;
};

std::vector<Order> wrong_requests() {
  return {
      {"a good read", proxied_request("GET", kMetric)},
      {"a bad selector", proxied_request("GET", kMetric, {{"labelSelector", ",a"}})},
      {"a watch", proxied_request("GET", kMetric, {{"watch", "true"}})},
      {"another method", proxied_request("POST", kMetric)},
      {"an unknown resource", proxied_request("GET", kBase + "/x")},
      {"an unknown path", proxied_request("GET", "/nope")},
      {"discovery", proxied_request("GET", kBase)},
  };
}

TEST_CASE("401 comes before everything else, and neither authorizer nor source is called") {
  for (const Order& row : wrong_requests()) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;
      rig.authorizer.decision = {false, ""};
      Request untrusted = row.request;
      untrusted.peer->by_request_header_ca = Trust::untrusted;

      const Response response = rig.send(untrusted);

      CHECK(response.status == 401);
      CHECK(response.body ==
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
            R"("message":"Unauthorized","reason":"Unauthorized","code":401})"
            "\n");
      CHECK(rig.authorizer.attributes.empty());
      CHECK(rig.source.queries.empty());
    }
  }
}

TEST_CASE("case 124: 403 comes before 404, 405 and 400, and the source is not queried") {
  for (const Order& row : wrong_requests()) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;
      rig.authorizer.decision = {false, ""};

      const Response response = rig.send(row.request);

      CHECK(response.status == 403);
      CHECK(rig.authorizer.attributes.size() == 1);
      CHECK(rig.source.queries.empty());
    }
  }
}

TEST_CASE("405 comes before a bad selector, and 404 before 405") {
  ApiRig rig;

  const auto post = rig.send(proxied_request("POST", kMetric, {{"labelSelector", ",a"}}));
  const auto watch = rig.get(kMetric, {{"watch", "1"}, {"labelSelector", ",a"}});
  const auto unknown_resource = rig.send(proxied_request("POST", kBase + "/x"));
  const auto unknown_path = rig.send(proxied_request("POST", "/nope"));

  CHECK(post.status == 405);
  CHECK(watch.status == 405);
  CHECK(unknown_resource.status == 404);
  CHECK(unknown_path.status == 404);
  CHECK(rig.source.queries.empty());
}

TEST_CASE("case 86: the authorizer decides about the authenticated user") {
  ApiRig rig;
  rig.authorizer.decision = {false, "no"};
  Request without_certificate = proxied_request("GET", kMetric);
  without_certificate.peer.reset();

  const Response anonymous = rig.send(without_certificate);
  const Response alice = rig.get(kMetric);

  REQUIRE(rig.authorizer.callers.size() == 2);
  CHECK(rig.authorizer.callers[0].user == "system:anonymous");
  CHECK(rig.authorizer.callers[1].user == "alice");
  CHECK(rig.authorizer.callers[1].groups == std::vector<std::string>{"g1", "system:authenticated"});
  CHECK(rig.authorizer.attributes[1].verb == "list");
  CHECK(rig.authorizer.attributes[1].resource == "queue-len");
  CHECK(rig.authorizer.attributes[1].name_space == "default");
  CHECK(anonymous.status == 403);
  CHECK(alice.body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
        R"("queue-len.external.metrics.k8s.io is forbidden: User \"alice\" cannot list resource )"
        R"(\"queue-len\" in API group \"external.metrics.k8s.io\" in the namespace \"default\": )"
        R"(no","reason":"Forbidden","details":{"group":"external.metrics.k8s.io",)"
        R"("kind":"queue-len"},"code":403})"
        "\n");
}

TEST_CASE("case 61: discovery is served while every backend is down, and queries no backend") {
  struct Row {
    std::string_view name;
    std::string path;
    std::string_view kind;
  };
  const Row rows[] = {
      {"case 65: the groups", "/apis", "APIGroupList"},
      {"the groups with a slash", "/apis/", "APIGroupList"},
      {"case 66: the group", "/apis/external.metrics.k8s.io", "APIGroup"},
      {"case 60: the resources", kBase, "APIResourceList"},
      {"the resources with a slash", kBase + "/", "APIResourceList"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;
      rig.source.reply = Error{Errc::unreachable, "prometheus prom: no connection", ""};

      const Response response = rig.get(row.path, {{"timeout", "32s"}});

      CHECK(response.status == 200);
      CHECK(response.content_type == "application/json");
      CHECK(response.body.starts_with(R"({"kind":")" + std::string(row.kind) + R"(",)"));
      CHECK(rig.source.queries.empty());
    }
  }
}

TEST_CASE("an error of the source is a Status with its own code and text") {
  struct Row {
    std::string_view name;
    Error error;
    int status;
    std::string_view tail;
  };
  const Row rows[] = {
      {"unknown metric",
       {Errc::unknown_metric, "there is no metric ns/m", ""},
       404,
       R"("message":"there is no metric ns/m","reason":"NotFound","code":404})"},
      {"an undeclared label",
       {Errc::bad_request, "label \"x\" is not declared", ""},
       400,
       R"("message":"label \"x\" is not declared","reason":"BadRequest","code":400})"},
      {"no value, with the remote's words",
       {Errc::no_value, "metric ns/m: no value", "<empty>"},
       503,
       R"("message":"metric ns/m: no value: \u003cempty\u003e","reason":"ServiceUnavailable",)"
       R"("code":503})"},
      {"case 116: the deadline",
       {Errc::timed_out, "no answer in 2.5 s", ""},
       504,
       R"("message":"no answer in 2.5 s","reason":"Timeout","code":504})"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ApiRig rig;
      rig.source.reply = row.error;

      const Response response = rig.get(kMetric);

      CHECK(response.status == row.status);
      CHECK(response.content_type == "application/json");
      CHECK(response.body ==
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)" +
                std::string(row.tail) + "\n");
      CHECK(rig.source.queries.size() == 1);
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
