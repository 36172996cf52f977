// Discovery in both formats, aggregated and one document per group and version, from the same list
// of resources, so that both always list the same.
#include "apiservice/discovery.hpp"

#include "apiservice/encoding/json.hpp"
#include "apiservice/meta/etag.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

// Names of groups and versions are literals of this room and need no escaping; names of metrics
// come from a configuration and do.
std::string version_fields(const ApiGroup& group, const ApiVersion& version) {
  return fmt::format(R"({{"groupVersion":"{}/{}","version":"{}"}})",
                     group.name,
                     version.name,
                     version.name);
}

std::string group_fields(const ApiGroup& group) {
  std::string versions;
  for (const ApiVersion& version : group.versions) {
    if (!versions.empty()) versions += ',';
    versions += version_fields(group, version);
  }
  return fmt::format(R"("name":"{}","versions":[{}],"preferredVersion":{})",
                     group.name,
                     versions,
                     version_fields(group, group.versions.front()));
}

// Appends `"name":"text"`.
void append_pair(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

void append_resource(std::string& out, const ApiResource& resource) {
  out += out.ends_with('[') ? "{" : ",{";
  append_pair(out, "name", resource.name);
  // singularName is present even when it is empty, as Go writes it. The verb is `get`, as in Go's
  // library, although a read is authorized as `list`.
  out += R"(,"singularName":"","namespaced":true,)";
  append_pair(out, "kind", resource.kind);
  out += R"(,"verbs":["get"]})";
}

void append_discovered(std::string& out, const ApiResource& resource) {
  out += out.ends_with('[') ? "{" : ",{";
  append_pair(out, "resource", resource.name);
  // Never null: client-go 0.26.0 to 0.26.3 crashes on a null responseKind.
  out += R"(,"responseKind":{"group":"","version":"",)";
  append_pair(out, "kind", resource.kind);
  out += R"(},"scope":"Namespaced","singularResource":"","verbs":["get"]})";
}

std::string resource_list(const ApiGroup& group, const ApiVersion& version) {
  std::string out = fmt::format(
      R"({{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"{}/{}","resources":[)",
      group.name,
      version.name);
  for (const ApiResource& resource : version.resources) append_resource(out, resource);
  out += "]}\n";
  // Kept for as long as the configuration, so the spare capacity is given back.
  out.shrink_to_fit();
  return out;
}

void append_group_discovery(std::string& out, const ApiGroup& group) {
  out += out.ends_with('[') ? "{" : ",{";
  out += fmt::format(R"("metadata":{{"name":"{}"}},"versions":[)", group.name);
  for (const ApiVersion& version : group.versions) {
    out += &version == group.versions.data() ? "{" : ",{";
    out += fmt::format(R"("version":"{}","resources":[)", version.name);
    for (const ApiResource& resource : version.resources) append_discovered(out, resource);
    // Only the aggregator writes Stale, for a server that it cannot reach.
    out += R"(],"freshness":"Current"})";
  }
  out += "]}";
}

}  // namespace

Discovery make_discovery(std::span<const ApiGroup> groups) {
  Discovery out;
  out.group_list = R"({"kind":"APIGroupList","apiVersion":"v1","groups":[)";
  // The aggregator decodes the document by its kind and apiVersion.
  out.group_discovery =
      R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},)"
      R"("items":[)";
  for (const ApiGroup& group : groups) {
    const std::string fields = group_fields(group);
    out.group_list += out.group_list.ends_with('[') ? "{" : ",{";
    out.group_list += fields + '}';
    out.documents.push_back(
        {"/apis/" + group.name,
         group.name,
         "",
         fmt::format("{}{}{}\n", R"({"kind":"APIGroup","apiVersion":"v1",)", fields, "}")});
    for (const ApiVersion& version : group.versions)
      out.documents.push_back({fmt::format("/apis/{}/{}", group.name, version.name),
                               group.name,
                               version.name,
                               resource_list(group, version)});
    append_group_discovery(out.group_discovery, group);
  }
  out.group_list += "]}\n";
  out.group_discovery += "]}\n";
  out.group_discovery.shrink_to_fit();
  // Of the whole document: the ETag has to change with every change of the metrics.
  out.group_discovery_hash = hash_of(out.group_discovery);
  return out;
}

}  // namespace weir::apiservice
