#include "apiservice/prerendered.hpp"

#include "apiservice/meta/etag.hpp"
#include "apiservice/meta/status.hpp"
#include "apiservice/negotiation/accept.hpp"
#include "apiservice/negotiation/media_type.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

constexpr std::string_view kAggregatedType =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
// As far away as a 32-bit clock sees: `immutable` says the rest, and there is no clock here.
constexpr std::string_view kNeverExpires = "Tue, 19 Jan 2038 03:14:07 GMT";

#if defined(__aarch64__)
#define WEIR_PLATFORM "linux/arm64"
#else
#define WEIR_PLATFORM "linux/amd64"
#endif

constexpr std::string_view kVersionPage = R"({
  "major": "0",
  "minor": "1",
  "gitVersion": "v)" WEIR_VERSION R"(",
  "gitCommit": "",
  "gitTreeState": "",
  "buildDate": "",
  "goVersion": "",
  "compiler": "clang",
  "platform": ")" WEIR_PLATFORM R"("
})";

constexpr std::string_view kIndexPage = R"({
  "paths": [
    "/apis",
    "/apis/external.metrics.k8s.io",
    "/apis/external.metrics.k8s.io/v1beta1",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/apis/external.metrics.k8s.io/v1beta1",
    "/readyz",
    "/version"
  ]
})";

Response page(std::string_view text) { return {200, "application/json", std::string(text)}; }

std::string quoted(std::string_view hash) { return '"' + std::string(hash) + '"'; }

Response document(const std::string& json, const Request& request) {
  const auto form = form_of(request, {});
  if (!form) return not_acceptable({});
  return document_in_form(json, *form);
}

bool takes_json(const Request& request) {
  const std::string_view accept = request.header("accept");
  return accept.empty() || std::ranges::any_of(parse_accept(accept), [](const auto& clause) {
           return clause.takes("application", "json");
         });
}

// A document of OpenAPI: JSON alone, and no body where that is not wanted.
Response specification(const std::string& json, std::string_view hash, const Request& request) {
  if (!takes_json(request)) return {406, "", "", {{"Vary", "Accept"}}};
  Response out{200, "application/json", "", {{"ETag", quoted(hash)}, {"Vary", "Accept"}}};
  if (is_known(request, hash)) return not_modified(std::move(out));
  out.body = json;
  return out;
}

// A wrong hash gets the current document too: a redirect would be an error behind the aggregator.
Response hashed(Response out, std::string_view hash, const Request& request) {
  const bool is_exact = out.status != 406 && request.parameter("hash") == hash;
  if (!is_exact) return out;
  out.headers.push_back({"Cache-Control", "public, immutable"});
  out.headers.push_back({"Expires", std::string(kNeverExpires)});
  return out;
}

}  // namespace

Shelf::Shelf(Discovery discovery) : discovery_(std::move(discovery)) {}

Response Shelf::groups(const Request& request) const {
  const Offer offer{.has_protobuf = false, .has_table = false, .has_group_discovery = true};
  const auto form = form_of(request, offer);
  if (!form) return not_acceptable(offer);
  if (form->shape != Form::Shape::group_discovery) {
    Response legacy = document_in_form(discovery_.group_list, *form);
    legacy.headers.push_back({"Vary", "Accept"});
    return legacy;
  }
  Response out{200,
               std::string(kAggregatedType),
               "",
               {{"ETag", quoted(discovery_.group_discovery_hash)},
                {"Vary", "Accept"},
                {"Cache-Control", "public"}}};
  if (is_known(request, discovery_.group_discovery_hash)) return not_modified(std::move(out));
  out.body = document_in_form(discovery_.group_discovery, *form).body;
  return out;
}

Response Shelf::answer(Route::Kind kind, const Request& request) const {
  switch (kind) {
    case Route::Kind::group_list: return groups(request);
    case Route::Kind::group: return document(discovery_.group, request);
    case Route::Kind::resource_list: return document(discovery_.resource_list, request);
    case Route::Kind::open_api_v2: return specification(open_api_.v2, open_api_.v2_hash, request);
    case Route::Kind::open_api_v3:
      return specification(open_api_.v3_root, open_api_.v3_root_hash, request);
    case Route::Kind::open_api_v3_group:
      return hashed(specification(open_api_.v3_group, open_api_.v3_group_hash, request),
                    open_api_.v3_group_hash,
                    request);
    case Route::Kind::version: return page(kVersionPage);
    case Route::Kind::index: return page(kIndexPage);
    case Route::Kind::metric:
    case Route::Kind::explanation:
    case Route::Kind::unknown_resource:
    case Route::Kind::unknown: break;
  }
  return page_not_found();
}

}  // namespace weir::apiservice
