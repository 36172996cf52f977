#include "apiservice/paths.hpp"

#include "scalers/text.hpp"

#include <algorithm>
#include <vector>

namespace weir::apiservice {
namespace {

// The segments between slashes; one trailing slash adds none, an empty segment inside stays.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return out;
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    out.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

// Kubernetes reads every value but these as true, an empty one too.
bool is_true(const Request& request, std::string_view name) {
  if (!request.has_parameter(name)) return false;
  const std::string value = scalers::lower_case(request.parameter(name));
  return value != "0" && value != "false";
}

std::string resource_verb(const Request& request, bool is_named) {
  const std::string& method = request.method;
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return is_named ? "delete" : "deletecollection";
  if (method != "GET" && method != "HEAD") return {};
  if (is_named) return "get";
  return is_true(request, "watch") ? "watch" : "list";
}

}  // namespace

Route route_of(std::string_view path) {
  const auto parts = segments_of(path);
  if (parts.empty() || parts[0] != "apis") return {};
  if (parts.size() == 1) return {.kind = Route::Kind::group_list, .name_space = {}, .metric = {}};
  if (parts[1] != kGroup) return {};
  if (parts.size() == 2) return {.kind = Route::Kind::group, .name_space = {}, .metric = {}};
  if (parts[2] != kVersion) return {};
  if (parts.size() == 3)
    return {.kind = Route::Kind::resource_list, .name_space = {}, .metric = {}};
  const bool is_metric =
      parts.size() == 6 && parts[3] == "namespaces" && !parts[4].empty() && !parts[5].empty();
  if (!is_metric) return {.kind = Route::Kind::unknown_resource, .name_space = {}, .metric = {}};
  return {.kind = Route::Kind::metric,
          .name_space = std::string(parts[4]),
          .metric = std::string(parts[5])};
}

Attributes attributes_of(const Request& request) {
  const auto parts = segments_of(request.path);
  Attributes out;
  // Any group counts as a resource request, as it does for Kubernetes; the route decides later
  // whether it exists.
  if (parts.size() < 4 || parts[0] != "apis") {
    out.verb = scalers::lower_case(request.method);
    out.path = request.path;
    return out;
  }
  out.is_resource = true;
  out.group = parts[1];
  out.version = parts[2];
  auto rest = std::vector<std::string_view>(parts.begin() + 3, parts.end());
  if (rest[0] == "namespaces" && rest.size() > 1) {
    out.name_space = rest[1];
    const bool is_subresource = rest.size() > 2 && (rest[2] == "status" || rest[2] == "finalize");
    // ".../namespaces/NS/METRIC" names METRIC; "status" and "finalize" belong to the namespace
    // itself.
    if (rest.size() > 2 && !is_subresource) rest.erase(rest.begin(), rest.begin() + 2);
  }
  out.resource = rest[0];
  if (rest.size() > 1) out.name = rest[1];
  if (rest.size() > 2) out.subresource = rest[2];
  out.verb = resource_verb(request, rest.size() > 1);
  return out;
}

}  // namespace weir::apiservice
