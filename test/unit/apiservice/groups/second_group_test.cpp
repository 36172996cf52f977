// The proof that a group is data: a made-up second one, with two versions, is in every document and
// on every route, and nothing outside of this file knows its name.
#include "apiservice/groups/external.hpp"
#include "apiservice/meta/status.hpp"
#include "apiservice/meta/table.hpp"
#include "test/rigs/api_rig.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using nlohmann::json;
using test::proxied_request;

// Answers with the words of its RequestInfo.
class TideHandler final : public GroupHandler {
 public:
  [[nodiscard]] awaitable<Response> respond(Request& /*request*/,
                                            RequestInfo& info,
                                            Negotiation& /*negotiation*/,
                                            Deadline /*deadline*/) override {
    co_return Response{200,
                       "text/plain",
                       info.version + " " + info.name_space + " " + info.collection()};
  }
};

OpenApiFragment tide_open_api() {
  return {.path = "/namespaces/{namespace}/{resource}",
          .description = "Reads a tide.",
          .operation_id = "readTide",
          .tag = "tides",
          .kind = "Tide",
          .list_model = "example.TideList",
          .parameters = R"([{"name": "namespace", "in": "path", "required": true}])",
          .models = R"({"example.TideList": {"type": "object"}})"};
}

ApiGroup tides(GroupHandler* handler) {
  return {"tides.example.com",
          {{"v2", {{"ebb", "Ebb"}, {"flood", "Flood"}}, tide_open_api()},
           {"v1", {{"ebb", "Ebb"}}, tide_open_api()}},
          handler};
}

struct TwoGroups {
  test::ApiRig rig;
  TideHandler handler;
  ApiServer server{{.rules = rig.rules, .tokens = nullptr, .authorizer = rig.authorizer},
                   {external_metrics_group({"queue-len"}, &rig.external), tides(&handler)}};

  Response send(Request request) {
    RequestInfo info = server.request_info(request);
    std::string user;
    return test::run(rig.loop, server.respond(request, info, test::kRequestDeadline, user));
  }
  Response get(std::string path, std::vector<Header> headers = {}) {
    Request request = proxied_request("GET", std::move(path));
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    return send(std::move(request));
  }
};

TEST_CASE("a second group is in both forms of discovery, with its versions in their order") {
  TwoGroups api;

  const json groups = json::parse(api.get("/apis").body)["groups"];
  const json group = json::parse(api.get("/apis/tides.example.com").body);
  const json resources = json::parse(api.get("/apis/tides.example.com/v2").body);
  const json aggregated = json::parse(
      api.get("/apis",
              {{"accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}})
          .body)["items"];

  REQUIRE(groups.size() == 2);
  CHECK(groups[0]["name"] == "external.metrics.k8s.io");
  CHECK(groups[1]["name"] == "tides.example.com");
  CHECK(group["preferredVersion"]["groupVersion"] == "tides.example.com/v2");
  CHECK(group["versions"].size() == 2);
  CHECK(resources["groupVersion"] == "tides.example.com/v2");
  CHECK(resources["resources"][1]["name"] == "flood");
  REQUIRE(aggregated.size() == 2);
  CHECK(aggregated[1]["metadata"]["name"] == "tides.example.com");
  CHECK(aggregated[1]["versions"][1]["version"] == "v1");
  CHECK(aggregated[1]["versions"][0]["resources"][0]["responseKind"]["kind"] == "Ebb");
}

TEST_CASE("a second group is in OpenAPI and in the index") {
  TwoGroups api;
  const std::string path = "/apis/tides.example.com/v1/namespaces/{namespace}/{resource}";

  const json v2 = json::parse(api.get("/openapi/v2").body);
  const json root = json::parse(api.get("/openapi/v3").body)["paths"];
  const json v3 = json::parse(api.get("/openapi/v3/apis/tides.example.com/v1").body);
  const json index = json::parse(api.get("/").body)["paths"];

  CHECK(v2["paths"].size() == 3);
  CHECK(v2["paths"][path]["get"]["x-kubernetes-group-version-kind"]["group"] ==
        "tides.example.com");
  CHECK(v2["definitions"].contains("example.TideList"));
  CHECK(root.size() == 3);
  CHECK(root.contains("apis/tides.example.com/v1"));
  CHECK(v3["paths"][path]["get"]["operationId"] == "readTide");
  CHECK(v3["components"]["schemas"].size() == 1);
  CHECK(std::ranges::count(index, "/openapi/v3/apis/tides.example.com/v2") == 1);
}

TEST_CASE("a second group's requests reach its handler, after the same checks") {
  TwoGroups api;
  const std::string path = "/apis/tides.example.com/v1/namespaces/ns/ebb";

  const Response read = api.get(path);
  const Response explained = api.get("/apis/tides.example.com/v2/namespaces/ns/ebb/explain");

  CHECK(read.body == "v1 ns ebb");
  CHECK(explained.body == "v2 ns ebb");
  CHECK(api.send(proxied_request("POST", path)).status == 405);
  CHECK(api.get("/apis/tides.example.com/v1/ebb").status == 404);
  CHECK(api.get("/apis/tides.example.com/v3/namespaces/ns/ebb").body == "404 page not found\n");
  CHECK(api.get("/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue-len").status ==
        200);
  REQUIRE(api.rig.authorizer.attributes.size() == 6);
  CHECK(api.rig.authorizer.attributes[0].group == "tides.example.com");
  CHECK(api.rig.authorizer.attributes[1].subresource == "explain");
}

TEST_CASE("a forbidden request of a second group is rejected before its handler") {
  TwoGroups api;
  api.rig.authorizer.decision = {false, "no"};

  const Response response = api.get("/apis/tides.example.com/v1/namespaces/ns/ebb");

  CHECK(response.status == 403);
  CHECK(json::parse(response.body)["details"]["group"] == "tides.example.com");
}

TEST_CASE("a Table has the kind and the version of its group") {
  const TableItem item{
      "Tide",
      "tides.example.com/v2",
      [](std::string& out, std::string_view, const auto&) { out += R"("height":3)"; }};
  std::string out;

  append_value_table(out,
                     {.is_v1beta1 = false, .include = TableOptions::Include::object},
                     item,
                     "ebb",
                     std::vector<scalers::Reading>{{{}, 3, WallTime{}}});

  CHECK(json::parse(out)["rows"][0]["object"] ==
        json{{"kind", "Tide"}, {"apiVersion", "tides.example.com/v2"}, {"height", 3}});
}

}  // namespace
}  // namespace weir::apiservice
