// Conditional requests and caching headers, which each kind of document needs in its own way.
#include "apiservice/prerendered.hpp"

#include "apiservice/encoding/json.hpp"
#include "apiservice/meta/etag.hpp"
#include "apiservice/meta/status.hpp"
#include "apiservice/negotiation/media_type.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

// Clients recognise the aggregated format by these parameters.
constexpr std::string_view kAggregatedType =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
// A fixed date, because this room has no clock: the last second of a 32-bit time_t.
constexpr std::string_view kNeverExpires = "Tue, 19 Jan 2038 03:14:07 GMT";

Response page(std::string_view text) { return {200, "application/json", std::string(text)}; }

std::string quoted(std::string_view hash) { return '"' + std::string(hash) + '"'; }

Response document(const std::string& json, const Request& request) {
  const auto media_type = negotiate(request, {});
  if (!media_type) return not_acceptable({});
  return encode(json, *media_type);
}

// An OpenAPI document: JSON only, and a 406 without a body, as in Kubernetes.
Response specification(const std::string& json, std::string_view hash, const Request& request) {
  // JSON suffices: only kubectl requests protobuf, and of the kube-apiserver, which merges the JSON
  // of its servers.
  if (!Negotiation(request).accepts_json()) return {406, "", "", {{"Vary", "Accept"}}};
  // A 304 has the ETag and Vary of the full response too (RFC 9110, 15.4.5).
  Response out{200, "application/json", "", {{"ETag", quoted(hash)}, {"Vary", "Accept"}}};
  if (matches_etag(request, hash)) return not_modified(std::move(out));
  out.body = json;
  return out;
}

// A wrong hash gets the current document too, because the aggregator turns a redirect into an
// error.
Response hashed(Response out, std::string_view hash, const Request& request) {
  // Only the URL with the current hash names this content forever. Without a hash the same URL gets
  // another content after an upgrade.
  const bool is_exact = out.status != 406 && request.parameter("hash") == hash;
  if (!is_exact) return out;
  out.headers.push_back({"Cache-Control", "public, immutable"});
  out.headers.push_back({"Expires", std::string(kNeverExpires)});
  return out;
}

// The index lists every path once, without a trailing slash.
std::string index_of(std::vector<std::string> paths) {
  std::ranges::sort(paths);
  std::string out = "{\n  \"paths\": [";
  for (const std::string& path : paths) {
    out += &path == paths.data() ? "\n    " : ",\n    ";
    append_json_string(out, path);
  }
  return out + "\n  ]\n}";
}

// The row of a document, which allows GET only.
template <class Respond>
Endpoint row(const std::string& path, Respond respond) {
  auto guarded = [respond = std::move(respond)](const Request& request) {
    return request.method == "GET" ? respond(request) : render(method_not_allowed());
  };
  return {.path = path,
          .match = Endpoint::Match::with_slash,
          .access = Endpoint::Access::authorized,
          .respond = std::move(guarded),
          .label = path};
}

}  // namespace

PrerenderedDocuments::PrerenderedDocuments(std::span<const ApiGroup> groups,
                                           std::span<const std::string> other_paths,
                                           const VersionInfo& version)
    : discovery_(make_discovery(groups)),
      open_api_(make_open_api(groups)),
      version_(version_page(version)) {
  std::vector<std::string> paths(other_paths.begin(), other_paths.end());
  for (const Endpoint& endpoint : endpoints()) {
    if (endpoint.label != "/") paths.push_back(endpoint.path);
  }
  index_ = index_of(std::move(paths));
}

Response PrerenderedDocuments::groups(const Request& request) const {
  const SupportedMediaTypes supported{.has_protobuf = false,
                                      .has_table = false,
                                      .has_group_discovery = true};
  const auto media_type = negotiate(request, supported);
  if (!media_type) return not_acceptable(supported);
  if (media_type->conversion != MediaType::Conversion::group_discovery) {
    Response legacy = encode(discovery_.group_list, *media_type);
    // Both formats have the same URL, so a cache must distinguish them by Accept.
    legacy.headers.push_back({"Vary", "Accept"});
    return legacy;
  }
  Response out{200,
               std::string(kAggregatedType),
               "",
               {{"ETag", quoted(discovery_.group_discovery_hash)},
                {"Vary", "Accept"},
                {"Cache-Control", "public"}}};
  if (matches_etag(request, discovery_.group_discovery_hash)) return not_modified(std::move(out));
  out.body = encode(discovery_.group_discovery, *media_type).body;
  return out;
}

Endpoints PrerenderedDocuments::endpoints() const {
  Endpoints out;
  out.push_back(row("/apis", [this](const Request& request) { return groups(request); }));
  for (const DiscoveryDocument& listed : discovery_.documents) {
    // A reference into discovery_, which never changes after the constructor.
    out.push_back(row(listed.path, [&listed](const Request& request) {
      return document(listed.json, request);
    }));
    out.back().group = listed.group;
    out.back().version = listed.version;
  }
  out.push_back(row("/openapi/v2", [this](const Request& request) {
    return specification(open_api_.v2, open_api_.v2_hash, request);
  }));
  // Served from the start: after a 404 the kube-apiserver treats the server as one without version
  // 3 until the APIService is deleted or the kube-apiserver restarts.
  out.push_back(row("/openapi/v3", [this](const Request& request) {
    return specification(open_api_.v3_root, open_api_.v3_root_hash, request);
  }));
  for (const OpenApiV3& v3 : open_api_.v3)
    out.push_back(row(v3.path, [&v3](const Request& request) {
      return hashed(specification(v3.json, v3.hash, request), v3.hash, request);
    }));
  out.push_back(row("/version", [this](const Request&) { return page(version_); }));
  for (const char* path : {"/", "/index.html"}) {
    out.push_back(row(path, [this](const Request&) { return page(index_); }));
    // One page with two paths is one row of telemetry.
    out.back().label = "/";
  }
  return out;
}

}  // namespace weir::apiservice
