#include "apiservice/discovery.hpp"

#include "apiservice/encoding/json.hpp"
#include "apiservice/meta/etag.hpp"
#include "apiservice/request/paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weir::apiservice {
namespace {

struct Resource {
  std::string name;
  std::string_view kind;
};

// No metric may have this name: it is the one resource that is none.
constexpr std::string_view kItems = "externalmetrics";
constexpr std::string_view kItemKind = "ExternalMetricValue";

std::string group_fields() {
  const std::string version =
      fmt::format(R"({{"groupVersion":"{}","version":"{}"}})", kGroupVersion, kVersion);
  return fmt::format(R"("name":"{}","versions":[{}],"preferredVersion":{})",
                     kGroup,
                     version,
                     version);
}

// Appends `"name":"text"`.
void append_pair(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

void append_resource(std::string& out, std::string_view name, std::string_view kind) {
  out += out.ends_with('[') ? "{" : ",{";
  append_pair(out, "name", name);
  out += R"(,"singularName":"","namespaced":true,)";
  append_pair(out, "kind", kind);
  out += R"(,"verbs":["get"]})";
}

void append_discovered(std::string& out, std::string_view name, std::string_view kind) {
  out += out.ends_with('[') ? "{" : ",{";
  append_pair(out, "resource", name);
  out += R"(,"responseKind":{"group":"","version":"",)";
  append_pair(out, "kind", kind);
  out += R"(},"scope":"Namespaced","singularResource":"","verbs":["get"]})";
}

}  // namespace

Discovery make_discovery(std::vector<std::string> metric_names) {
  metric_names.emplace_back(kItems);
  std::ranges::sort(metric_names);
  const auto twice = std::ranges::unique(metric_names);
  metric_names.erase(twice.begin(), twice.end());
  Discovery out;
  out.group_list = fmt::format("{}{}{}\n",
                               R"({"kind":"APIGroupList","apiVersion":"v1","groups":[{)",
                               group_fields(),
                               "}]}");
  out.group =
      fmt::format("{}{}{}\n", R"({"kind":"APIGroup","apiVersion":"v1",)", group_fields(), "}");
  out.resource_list = fmt::format(
      R"({{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"{}","resources":[)",
      kGroupVersion);
  out.group_discovery = fmt::format(
      R"({{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{{}},)"
      R"("items":[{{"metadata":{{"name":"{}"}},"versions":[{{"version":"{}","resources":[)",
      kGroup,
      kVersion);
  for (const std::string& name : metric_names) {
    const std::string_view kind = name == kItems ? kItemKind : std::string_view(name);
    append_resource(out.resource_list, name, kind);
    append_discovered(out.group_discovery, name, kind);
  }
  out.resource_list += "]}\n";
  out.group_discovery += R"(],"freshness":"Current"}]}]})"
                         "\n";
  out.resource_list.shrink_to_fit();
  out.group_discovery.shrink_to_fit();
  out.group_discovery_hash = hash_of(out.group_discovery);
  return out;
}

}  // namespace weir::apiservice
