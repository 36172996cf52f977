#include "server/telemetry/request_labels.hpp"

#include "apiservice/meta/list_options.hpp"
#include "apiservice/request/paths.hpp"

#include <algorithm>
#include <array>

namespace weir::server {
namespace {

constexpr std::string_view kApiGroup = "external.metrics.k8s.io";
constexpr std::string_view kApiVersion = "v1beta1";

constexpr std::size_t kUnknown = 0;
constexpr std::size_t kMetric = 1;
constexpr std::size_t kUnknownResource = 2;
constexpr std::size_t kExplanation = 3;
constexpr std::size_t kFirstPath = 4;
constexpr std::array<EndpointLabels, 16> kEndpoints{{
    {"", "", "", ""},
    {"", kApiGroup, kApiVersion, "namespace"},
    {"", kApiGroup, kApiVersion, ""},
    {apiservice::kExplain, kApiGroup, kApiVersion, "namespace"},
    {"/", "", "", ""},
    {"/apis", "", "", ""},
    {"/apis/external.metrics.k8s.io", kApiGroup, "", ""},
    {"/apis/external.metrics.k8s.io/v1beta1", kApiGroup, kApiVersion, ""},
    {"/healthz", "", "", ""},
    {"/livez", "", "", ""},
    {"/metrics", "", "", ""},
    {"/openapi/v2", "", "", ""},
    {"/openapi/v3", "", "", ""},
    {"/openapi/v3/apis/external.metrics.k8s.io/v1beta1", "", "", ""},
    {"/readyz", "", "", ""},
    {"/version", "", "", ""},
}};

struct Method {
  std::string_view name;
  Verb verb;
};
constexpr std::array<Method, 7> kMethods{{{"GET", Verb::get},
                                          {"HEAD", Verb::head},
                                          {"POST", Verb::post},
                                          {"PUT", Verb::put},
                                          {"PATCH", Verb::patch},
                                          {"DELETE", Verb::remove},
                                          {"OPTIONS", Verb::options}}};

Verb verb_of(std::string_view method) {
  const auto* const found = std::ranges::find(kMethods, method, &Method::name);
  return found == kMethods.end() ? Verb::other : found->verb;
}

// A metric is a collection: what is read there is a list.
Verb collection_verb(const apiservice::Request& request) {
  const Verb verb = verb_of(request.method);
  if (verb == Verb::remove) return Verb::remove_all;
  if (verb != Verb::get && verb != Verb::head) return verb;
  return apiservice::is_true(request, "watch") ? Verb::watch : Verb::list;
}

// One slash at the end, and what is below a health endpoint, count as the path itself.
std::size_t path_of(std::string_view path) {
  if (path == "/index.html") path = "/";
  for (const std::string_view health : {"/healthz/", "/livez/", "/readyz/"}) {
    if (path.starts_with(health)) path = path.substr(0, health.size() - 1);
  }
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto* const found =
      std::find_if(kEndpoints.begin() + kFirstPath, kEndpoints.end(), [path](const auto& one) {
        return one.subresource == path;
      });
  return found == kEndpoints.end() ? kUnknown
                                   : static_cast<std::size_t>(found - kEndpoints.begin());
}

}  // namespace

RequestLabels labels_of(const apiservice::Request& request) {
  using Kind = apiservice::Route::Kind;
  apiservice::Route route = apiservice::route_of(request.path);
  if (route.kind == Kind::metric)
    return {collection_verb(request), Endpoint{kMetric}, std::move(route.metric)};
  if (route.kind == Kind::explanation)
    return {verb_of(request.method), Endpoint{kExplanation}, std::move(route.metric)};
  const bool is_resource = route.kind == Kind::unknown_resource;
  return {verb_of(request.method),
          Endpoint{is_resource ? kUnknownResource : path_of(request.path)},
          ""};
}

std::size_t endpoint_count() { return kEndpoints.size(); }

const EndpointLabels& labels_of(Endpoint endpoint) {
  return kEndpoints.at(static_cast<std::size_t>(endpoint));
}

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::get: return "GET";
    case Verb::list: return "LIST";
    case Verb::watch: return "WATCH";
    case Verb::head: return "HEAD";
    case Verb::post: return "POST";
    case Verb::put: return "PUT";
    case Verb::patch: return "PATCH";
    case Verb::remove: return "DELETE";
    case Verb::remove_all: return "DELETECOLLECTION";
    case Verb::options: return "OPTIONS";
    case Verb::other: return "other";
  }
  return "other";
}

bool is_mutating(Verb verb) {
  return verb == Verb::post || verb == Verb::put || verb == Verb::patch || verb == Verb::remove ||
         verb == Verb::remove_all;
}

}  // namespace weir::server
