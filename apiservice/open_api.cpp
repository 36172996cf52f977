// Both versions of OpenAPI from one fragment per group version: they differ only in the place of
// the models and in the notation of parameters and media types.
#include "apiservice/open_api.hpp"

#include "apiservice/meta/etag.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

using nlohmann::json;

constexpr std::string_view kInfo = R"({"title":"Weir","version":")" WEIR_VERSION R"("})";
constexpr std::string_view kV2References = "#/definitions/";
constexpr std::string_view kV3References = "#/components/schemas/";
constexpr const char* kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";

// One version of one group.
struct Served {
  const ApiGroup& group;
  const ApiVersion& version;

  [[nodiscard]] std::string base() const {
    return fmt::format("apis/{}/{}", group.name, version.name);
  }
};

json models(const OpenApiFragment& fragment, std::string_view references) {
  std::string text(fragment.models);
  // Only references begin with # in a fragment. The search goes on after the quote, so that it does
  // not find the reference that it has just written.
  const std::string mark = "\"#";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    text.replace(at + 1, 1, references);
  }
  return json::parse(text);
}

json reference(std::string_view references, std::string_view name) {
  return {{"$ref", std::string(references) + std::string(name)}};
}

json operation(const Served& served, json parameters, json response) {
  const OpenApiFragment& fragment = served.version.open_api;
  return {
      {"description", fragment.description},
      {"operationId", fragment.operation_id},
      {"tags", {fragment.tag}},
      {"parameters", std::move(parameters)},
      // The two codes that Kubernetes' own documents have for a GET.
      {"responses", {{"200", std::move(response)}, {"401", {{"description", "Unauthorized"}}}}},
      // A read is a list in Kubernetes, here as in a SubjectAccessReview.
      {"x-kubernetes-action", "list"},
      {"x-kubernetes-group-version-kind",
       {{"group", served.group.name}, {"kind", fragment.kind}, {"version", served.version.name}}}};
}

json v2_operation(const Served& served) {
  const OpenApiFragment& fragment = served.version.open_api;
  // Version 2 has the type beside the name, version 3 in a schema.
  json parameters = json::parse(fragment.parameters);
  for (json& parameter : parameters) {
    parameter["type"] = "string";
    parameter["uniqueItems"] = true;
  }
  json get =
      operation(served,
                std::move(parameters),
                {{"description", "OK"}, {"schema", reference(kV2References, fragment.list_model)}});
  get["schemes"] = {"https"};
  get["produces"] = {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};
  return get;
}

json v3_operation(const Served& served) {
  const OpenApiFragment& fragment = served.version.open_api;
  json parameters = json::parse(fragment.parameters);
  for (json& parameter : parameters) {
    parameter["schema"] = {{"type", "string"}, {"uniqueItems", true}};
  }
  const json schema = {{"schema", reference(kV3References, fragment.list_model)}};
  return operation(served,
                   std::move(parameters),
                   {{"description", "OK"},
                    {"content",
                     {{"application/json", schema},
                      {"application/yaml", schema},
                      {"application/vnd.kubernetes.protobuf", schema}}}});
}

std::string path_of(const Served& served) {
  return fmt::format("/{}{}", served.base(), served.version.open_api.path);
}

json v2(std::span<const ApiGroup> groups) {
  json paths = json::object();
  json definitions = json::object();
  for (const ApiGroup& group : groups) {
    for (const ApiVersion& version : group.versions) {
      const Served served{group, version};
      paths[path_of(served)] = {{"get", v2_operation(served)}};
      // Versions may share models such as ListMeta: the same name is the same model.
      definitions.update(models(version.open_api, kV2References));
    }
  }
  // As Kubernetes' own documents: version 2 has no oneOf.
  if (definitions.contains(kQuantity)) definitions[kQuantity]["type"] = "string";
  return {{"swagger", "2.0"},
          {"info", json::parse(kInfo)},
          {"paths", std::move(paths)},
          {"definitions", std::move(definitions)}};
}

json v3(const Served& served) {
  json schemas = models(served.version.open_api, kV3References);
  if (schemas.contains(kQuantity))
    schemas[kQuantity]["oneOf"] = json::array({{{"type", "string"}}, {{"type", "number"}}});
  return {{"openapi", "3.0.0"},
          {"info", json::parse(kInfo)},
          {"paths", {{path_of(served), {{"get", v3_operation(served)}}}}},
          {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace

OpenApi make_open_api(std::span<const ApiGroup> groups) {
  OpenApi out;
  out.v2 = v2(groups).dump();
  out.v2_hash = hash_of(out.v2);
  json paths = json::object();
  for (const ApiGroup& group : groups) {
    for (const ApiVersion& version : group.versions) {
      const Served served{group, version};
      // Own group versions only: the kube-apiserver merges these keys into its own root and sends
      // requests for a key to any server that lists it.
      const std::string path = "/openapi/v3/" + served.base();
      std::string text = v3(served).dump();
      std::string hash = hash_of(text);
      // A URL with the hash of its content may be cached forever; see hashed() in prerendered.cpp.
      paths[served.base()] = {{"serverRelativeURL", fmt::format("{}?hash={}", path, hash)}};
      out.v3.push_back({path, std::move(text), std::move(hash)});
    }
  }
  out.v3_root = json{{"paths", std::move(paths)}}.dump();
  out.v3_root_hash = hash_of(out.v3_root);
  return out;
}

}  // namespace weir::apiservice
