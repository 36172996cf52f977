// What is answered from bytes: discovery, OpenAPI, version, index, and their conditional requests.
#include "apiservice/prerendered.hpp"

#include "apiservice/groups/external.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using nlohmann::json;

const std::string kV2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const std::string kGroupPath = "/openapi/v3/apis/external.metrics.k8s.io/v1beta1";

std::vector<ApiGroup> served(std::vector<std::string> metrics = {"q"}) {
  return {external_metrics_group(std::move(metrics), nullptr)};
}

Discovery discovery_of(std::vector<std::string> metrics) {
  return make_discovery(served(std::move(metrics)));
}

const OpenApi kOpenApi = make_open_api(served());
constexpr VersionInfo kVersion{.git_commit = "0123abcd",
                               .build_date = "2026-11-30T20:00:00Z",
                               .compiler = "Clang 19.1.7"};

// The response of the document at `path`; 404 when there is none.
Response get(std::string_view path,
             std::vector<Header> headers = {},
             std::vector<std::pair<std::string, std::string>> query = {},
             std::string_view method = "GET") {
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  request.query = std::move(query);
  const std::vector<std::string> others{"/livez"};
  const PrerenderedDocuments documents(served(), others, kVersion);
  const Endpoints endpoints = documents.endpoints();
  const auto endpoint = std::ranges::find_if(endpoints, [path](const auto& candidate) {
    return candidate.matches(path);
  });
  if (endpoint == endpoints.end()) return {404, "", ""};
  CHECK(endpoint->access == Endpoint::Access::authorized);
  return endpoint->respond(request);
}

std::string header(const Response& response, std::string_view name) {
  for (const Header& candidate : response.headers) {
    if (candidate.name == name) return candidate.value;
  }
  return "";
}

TEST_CASE("case 62: aggregated discovery has its type, a strong tag, and may be cached") {
  const Discovery discovery = discovery_of({"q"});

  const Response response = get("/apis", {{"accept", kV2}});

  CHECK(response.status == 200);
  CHECK(response.content_type == kV2);
  CHECK(response.body == discovery.group_discovery);
  CHECK(header(response, "ETag") == '"' + discovery.group_discovery_hash + '"');
  CHECK(header(response, "Vary") == "Accept");
  CHECK(header(response, "Cache-Control") == "public");
}

TEST_CASE("a client with the current aggregated discovery gets 304, with the same headers") {
  const std::string tag = '"' + discovery_of({"q"}).group_discovery_hash + '"';
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
          get("/apis", {{"accept", kV2}, {"if-none-match", row.if_none_match}});

      CHECK(response.status == row.status);
      CHECK(response.body.empty() == (row.status == 304));
      CHECK(response.content_type.empty() == (row.status == 304));
      CHECK(header(response, "ETag") == tag);
      CHECK(header(response, "Vary") == "Accept");
    }
  }
}

TEST_CASE("cases 64 and 65: the groups without the aggregated form") {
  const Response legacy = get("/apis", {{"accept", "application/json"}});
  const Response old = get(
      "/apis",
      {{"accept", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"}});

  CHECK(legacy.status == 200);
  CHECK(legacy.content_type == "application/json");
  CHECK(legacy.body == discovery_of({}).group_list);
  CHECK(header(legacy, "Vary") == "Accept");
  CHECK(old.status == 406);
}

TEST_CASE("discovery in YAML, and in an unknown media type") {
  const Response yaml =
      get("/apis/external.metrics.k8s.io/v1beta1", {{"accept", "application/yaml"}});
  const Response none = get("/apis/external.metrics.k8s.io/v1beta1", {{"accept", "text/html"}});

  CHECK(yaml.content_type == "application/yaml");
  CHECK(
      yaml.body.starts_with("apiVersion: v1\ngroupVersion: external.metrics.k8s.io/v1beta1\nkind"));
  CHECK(none.status == 406);
}

TEST_CASE("case 68: OpenAPI v2 is Swagger 2.0 with a tag") {
  const Response response = get("/openapi/v2", {{"accept", "application/json"}});

  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  CHECK(json::parse(response.body)["swagger"] == "2.0");
  CHECK(header(response, "ETag") == '"' + kOpenApi.v2_hash + '"');
  CHECK(header(response, "Vary") == "Accept");
}

TEST_CASE("cases 69 and 70: OpenAPI is conditional, and JSON only") {
  struct Row {
    std::string_view name;
    std::string path;
    std::vector<Header> headers;
    int status;
  };
  const Row rows[] = {
      {"v2, known", "/openapi/v2", {{"if-none-match", '"' + kOpenApi.v2_hash + '"'}}, 304},
      {"v3, known", "/openapi/v3", {{"if-none-match", '"' + kOpenApi.v3_root_hash + '"'}}, 304},
      {"group, known", kGroupPath, {{"if-none-match", '"' + kOpenApi.v3.front().hash + '"'}}, 304},
      {"another document's tag",
       "/openapi/v2",
       {{"if-none-match", '"' + kOpenApi.v3.front().hash + '"'}},
       200},
      {"anything", "/openapi/v2", {{"accept", "*/*"}}, 200},
      {"application/*", "/openapi/v3", {{"accept", "application/*"}}, 200},
      {"protobuf, then JSON",
       "/openapi/v2",
       {{"accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf,application/json"}},
       200},
      {"HTML", "/openapi/v2", {{"accept", "text/html"}}, 406},
      {"HTML of v3", "/openapi/v3", {{"accept", "text/html"}}, 406},
      {"protobuf alone",
       kGroupPath,
       {{"accept", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"}},
       406},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Response response = get(row.path, row.headers);

      CHECK(response.status == row.status);
      CHECK(response.body.empty() == (row.status != 200));
      CHECK(header(response, "Vary") == "Accept");
    }
  }
}

TEST_CASE("cases 72 to 74: the group's document by its hash, by a wrong hash, and without a hash") {
  const std::string good = kOpenApi.v3.front().hash;
  const Response exact = get(kGroupPath, {}, {{"hash", good}});
  const Response wrong = get(kGroupPath, {}, {{"hash", "x"}});
  const Response none = get(kGroupPath);

  CHECK(header(exact, "Cache-Control") == "public, immutable");
  CHECK_FALSE(header(exact, "Expires").empty());
  CHECK(exact.body == kOpenApi.v3.front().json);
  CHECK(wrong.status == 200);
  CHECK(wrong.body == kOpenApi.v3.front().json);
  CHECK(header(wrong, "Cache-Control").empty());
  CHECK(none.body == kOpenApi.v3.front().json);
  CHECK(header(none, "Expires").empty());
}

TEST_CASE("the root of OpenAPI v3 names only our group version, with its hash") {
  CHECK(json::parse(kOpenApi.v3_root) ==
        json{{"paths",
              {{"apis/external.metrics.k8s.io/v1beta1",
                {{"serverRelativeURL",
                  "/openapi/v3/apis/external.metrics.k8s.io/v1beta1?hash=" +
                      kOpenApi.v3.front().hash}}}}}});
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

TEST_CASE("every model that OpenAPI refers to exists, and kinds are named") {
  const json v2 = json::parse(kOpenApi.v2);
  const json v3 = json::parse(kOpenApi.v3.front().json);
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
  const Response version = get("/version");
  const Response index = get("/");

  CHECK(version.body.starts_with("{\n  \"major\": \"0\",\n"));
  const json info = json::parse(version.body);
  CHECK(info["gitVersion"] == "v" WEIR_VERSION);
  CHECK(std::string(WEIR_VERSION)
            .starts_with(info["major"].get<std::string>() + "." + info["minor"].get<std::string>() +
                         "."));
  CHECK(info["gitCommit"] == "0123abcd");
  CHECK(info["buildDate"] == "2026-11-30T20:00:00Z");
  CHECK(info["compiler"] == "Clang 19.1.7");
  CHECK(index.body.starts_with("{\n  \"paths\": [\n    \"/apis\",\n"));
  CHECK(version.content_type == "application/json");
  CHECK(json::parse(index.body)["paths"] == json{"/apis",
                                                 "/apis/external.metrics.k8s.io",
                                                 "/apis/external.metrics.k8s.io/v1beta1",
                                                 "/livez",
                                                 "/openapi/v2",
                                                 "/openapi/v3",
                                                 kGroupPath,
                                                 "/version"});
}

TEST_CASE("a document is found with one trailing slash or none, and nowhere else") {
  struct Row {
    std::string_view name;
    std::string path;
    int status;
  };
  const Row rows[] = {
      {"the groups", "/apis", 200},
      {"the groups with a slash", "/apis/", 200},
      {"the group", "/apis/external.metrics.k8s.io", 200},
      {"the group with a slash", "/apis/external.metrics.k8s.io/", 200},
      {"the version", "/apis/external.metrics.k8s.io/v1beta1", 200},
      {"the version with a slash", "/apis/external.metrics.k8s.io/v1beta1/", 200},
      {"case 68: OpenAPI v2", "/openapi/v2", 200},
      {"OpenAPI v3", "/openapi/v3", 200},
      {"OpenAPI v3 with a slash", "/openapi/v3/", 200},
      {"case 74: OpenAPI of the group", kGroupPath, 200},
      {"case 84", "/version", 200},
      {"the root", "/", 200},
      {"the index", "/index.html", 200},
      {"OpenAPI of another group", "/openapi/v3/apis/apps/v1", 404},
      {"OpenAPI of no version", "/openapi", 404},
      {"nothing", "", 404},
      {"case 85", "/nope", 404},
      {"case 42: another version", "/apis/external.metrics.k8s.io/v1", 404},
      {"another group", "/apis/custom.metrics.k8s.io/v1beta1", 404},
      {"the group in capitals", "/apis/External.metrics.k8s.io", 404},
      {"apis in capitals", "/APIS", 404},
      {"the legacy root", "/api", 404},
      {"two slashes first", "//apis", 404},
      {"two slashes after the groups", "/apis//", 404},
      {"the root with a slash", "//", 200},
      {"three slashes", "///", 404},
      {"a longer word", "/apisx", 404},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(get(row.path).status == row.status); }
  }
  CHECK(get("/apis", {}, {}, "POST").status == 405);
}

}  // namespace
}  // namespace weir::apiservice
