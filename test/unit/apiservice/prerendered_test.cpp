// What is answered from bytes: discovery, OpenAPI, version, index, and their conditional requests.
#include "apiservice/prerendered.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using Kind = Route::Kind;
using nlohmann::json;

const std::string kV2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const OpenApi kOpenApi = make_open_api();

Response ask(Kind kind,
             std::vector<Header> headers = {},
             std::vector<std::pair<std::string, std::string>> query = {}) {
  Request request;
  request.method = "GET";
  request.headers = std::move(headers);
  request.query = std::move(query);
  return Shelf(make_discovery({"q"})).answer(kind, request);
}

std::string header(const Response& response, std::string_view name) {
  for (const Header& one : response.headers) {
    if (one.name == name) return one.value;
  }
  return "";
}

TEST_CASE("case 62: aggregated discovery has its type, a strong tag, and may be cached") {
  const Discovery discovery = make_discovery({"q"});

  const Response response = ask(Kind::group_list, {{"accept", kV2}});

  CHECK(response.status == 200);
  CHECK(response.content_type == kV2);
  CHECK(response.body == discovery.group_discovery);
  CHECK(header(response, "ETag") == '"' + discovery.group_discovery_hash + '"');
  CHECK(header(response, "Vary") == "Accept");
  CHECK(header(response, "Cache-Control") == "public");
}

TEST_CASE("who has aggregated discovery already gets 304, with the same headers") {
  const std::string tag = '"' + make_discovery({"q"}).group_discovery_hash + '"';
  struct Row {
    std::string_view name;
    std::string if_none_match;
    int status;
  };
  const Row rows[] = {
      {"the tag", tag, 304},
      {"one of several", "\"x\", " + tag, 304},
      {"weak", "W/" + tag, 304},
      {"any", "*", 304},
      {"without quotes", tag.substr(1, 32), 200},
      {"another", "\"x\"", 200},
      {"empty", "", 200},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Response response =
          ask(Kind::group_list, {{"accept", kV2}, {"if-none-match", row.if_none_match}});

      CHECK(response.status == row.status);
      CHECK(response.body.empty() == (row.status == 304));
      CHECK(response.content_type.empty() == (row.status == 304));
      CHECK(header(response, "ETag") == tag);
      CHECK(header(response, "Vary") == "Accept");
    }
  }
}

TEST_CASE("cases 64 and 65: the groups without the aggregated form") {
  const Response legacy = ask(Kind::group_list, {{"accept", "application/json"}});
  const Response old = ask(
      Kind::group_list,
      {{"accept", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"}});

  CHECK(legacy.status == 200);
  CHECK(legacy.content_type == "application/json");
  CHECK(legacy.body == make_discovery({}).group_list);
  CHECK(header(legacy, "Vary") == "Accept");
  CHECK(old.status == 406);
}

TEST_CASE("discovery in YAML, and in nothing that there is") {
  const Response yaml = ask(Kind::resource_list, {{"accept", "application/yaml"}});
  const Response none = ask(Kind::resource_list, {{"accept", "text/html"}});

  CHECK(yaml.content_type == "application/yaml");
  CHECK(
      yaml.body.starts_with("apiVersion: v1\ngroupVersion: external.metrics.k8s.io/v1beta1\nkind"));
  CHECK(none.status == 406);
}

TEST_CASE("case 68: OpenAPI v2 is Swagger 2.0 with a tag") {
  const Response response = ask(Kind::open_api_v2, {{"accept", "application/json"}});

  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  CHECK(json::parse(response.body)["swagger"] == "2.0");
  CHECK(header(response, "ETag") == '"' + kOpenApi.v2_hash + '"');
  CHECK(header(response, "Vary") == "Accept");
}

TEST_CASE("cases 69 and 70: OpenAPI is conditional, and JSON only") {
  struct Row {
    std::string_view name;
    Kind kind;
    std::vector<Header> headers;
    int status;
  };
  const Row rows[] = {
      {"v2, known", Kind::open_api_v2, {{"if-none-match", '"' + kOpenApi.v2_hash + '"'}}, 304},
      {"v3, known", Kind::open_api_v3, {{"if-none-match", '"' + kOpenApi.v3_root_hash + '"'}}, 304},
      {"group, known",
       Kind::open_api_v3_group,
       {{"if-none-match", '"' + kOpenApi.v3_group_hash + '"'}},
       304},
      {"another document's tag",
       Kind::open_api_v2,
       {{"if-none-match", '"' + kOpenApi.v3_group_hash + '"'}},
       200},
      {"anything", Kind::open_api_v2, {{"accept", "*/*"}}, 200},
      {"application/*", Kind::open_api_v3, {{"accept", "application/*"}}, 200},
      {"protobuf, then JSON",
       Kind::open_api_v2,
       {{"accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf,application/json"}},
       200},
      {"HTML", Kind::open_api_v2, {{"accept", "text/html"}}, 406},
      {"HTML of v3", Kind::open_api_v3, {{"accept", "text/html"}}, 406},
      {"protobuf alone",
       Kind::open_api_v3_group,
       {{"accept", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"}},
       406},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Response response = ask(row.kind, row.headers);

      CHECK(response.status == row.status);
      CHECK(response.body.empty() == (row.status != 200));
      CHECK(header(response, "Vary") == "Accept");
    }
  }
}

TEST_CASE("cases 72 to 74: the group's document by its hash, a wrong one, and none") {
  const std::string good = kOpenApi.v3_group_hash;
  const Response exact = ask(Kind::open_api_v3_group, {}, {{"hash", good}});
  const Response wrong = ask(Kind::open_api_v3_group, {}, {{"hash", "x"}});
  const Response none = ask(Kind::open_api_v3_group);

  CHECK(header(exact, "Cache-Control") == "public, immutable");
  CHECK_FALSE(header(exact, "Expires").empty());
  CHECK(exact.body == kOpenApi.v3_group);
  CHECK(wrong.status == 200);
  CHECK(wrong.body == kOpenApi.v3_group);
  CHECK(header(wrong, "Cache-Control").empty());
  CHECK(none.body == kOpenApi.v3_group);
  CHECK(header(none, "Expires").empty());
}

TEST_CASE("the root of OpenAPI v3 names our group version alone, with its hash") {
  CHECK(json::parse(kOpenApi.v3_root) ==
        json{{"paths",
              {{"apis/external.metrics.k8s.io/v1beta1",
                {{"serverRelativeURL",
                  "/openapi/v3/apis/external.metrics.k8s.io/v1beta1?hash=" +
                      kOpenApi.v3_group_hash}}}}}});
}

// Every "$ref" below `node`.
void collect(const json& node, std::vector<std::string>& out) {
  if (node.is_object() && node.contains("$ref")) out.push_back(node["$ref"].get<std::string>());
  for (const json& child : node) {
    if (child.is_structured()) collect(child, out);
  }
}

bool all_resolve(const json& document, std::size_t count) {
  std::vector<std::string> references;
  collect(document, references);
  bool is_well = references.size() == count;
  for (const std::string& reference : references) {
    is_well = is_well && document.contains(json::json_pointer(reference.substr(1)));
  }
  return is_well;
}

TEST_CASE("every model that OpenAPI refers to is there, and kinds are told") {
  const json v2 = json::parse(kOpenApi.v2);
  const json v3 = json::parse(kOpenApi.v3_group);
  const std::string list =
      "io.k8s.metrics.pkg.apis.external_metrics.v1beta1.ExternalMetricValueList";
  const json kind = {{"group", "external.metrics.k8s.io"},
                     {"kind", "ExternalMetricValueList"},
                     {"version", "v1beta1"}};

  CHECK(all_resolve(v2, 5));
  CHECK(all_resolve(v3, 7));
  CHECK(v2["definitions"][list]["x-kubernetes-group-version-kind"] == json::array({kind}));
  CHECK(v3["components"]["schemas"][list]["x-kubernetes-group-version-kind"] ==
        json::array({kind}));
  CHECK(v2["paths"].size() == 1);
  CHECK(v2["paths"].begin().key().starts_with("/apis/external.metrics.k8s.io/v1beta1/"));
  CHECK(v3["openapi"] == "3.0.0");
}

TEST_CASE("case 84: version and index are indented JSON") {
  const Response version = ask(Kind::version);
  const Response index = ask(Kind::index);

  CHECK(version.body.starts_with("{\n  \"major\": \"0\",\n"));
  CHECK(json::parse(version.body)["gitVersion"] == "v" WEIR_VERSION);
  CHECK(index.body.starts_with("{\n  \"paths\": [\n    \"/apis\",\n"));
  CHECK(version.content_type == "application/json");
}

}  // namespace
}  // namespace weir::apiservice
