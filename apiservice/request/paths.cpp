#include "apiservice/request/paths.hpp"

#include "apiservice/meta/list_options.hpp"
#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace weir::apiservice {
namespace {

struct Fixed {
  std::string_view path;
  Route::Kind kind;
};
constexpr std::array<Fixed, 9> kFixed{
    {{"/apis", Route::Kind::group_list},
     {"/apis/external.metrics.k8s.io", Route::Kind::group},
     {"/apis/external.metrics.k8s.io/v1beta1", Route::Kind::resource_list},
     {"/openapi/v2", Route::Kind::open_api_v2},
     {"/openapi/v3", Route::Kind::open_api_v3},
     {"/openapi/v3/apis/external.metrics.k8s.io/v1beta1", Route::Kind::open_api_v3_group},
     {"/version", Route::Kind::version},
     {"/", Route::Kind::index},
     {"/index.html", Route::Kind::index}}};

// The segments between slashes; one trailing slash adds none, an empty segment inside stays. Those
// behind the eighth, a subresource's, are left out: no rule looks further.
class Segments {
 public:
  explicit Segments(std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return;
    for (std::size_t start = 0; start <= path.size() && size_ < parts_.size();) {
      const auto end = std::min(path.find('/', start), path.size());
      parts_[size_++] = path.substr(start, end - start);
      start = end + 1;
    }
  }
  [[nodiscard]] std::span<const std::string_view> parts() const {
    return std::span(parts_).first(size_);
  }

 private:
  std::array<std::string_view, 8> parts_;
  std::size_t size_ = 0;
};

// metric, explanation or unknown_resource below our version, else unknown.
Route::Kind kind_of(std::span<const std::string_view> parts) {
  const bool is_ours =
      parts.size() > 3 && parts[0] == "apis" && parts[1] == kGroup && parts[2] == kVersion;
  if (!is_ours) return Route::Kind::unknown;
  const bool is_below =
      parts.size() >= 6 && parts[3] == "namespaces" && !parts[4].empty() && !parts[5].empty();
  if (is_below && parts.size() == 6) return Route::Kind::metric;
  if (is_below && parts.size() == 7 && parts[6] == kExplain) return Route::Kind::explanation;
  return Route::Kind::unknown_resource;
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
  const bool has_slash = path.size() > 1 && path.ends_with('/');
  const std::string_view bare = path.substr(0, path.size() - (has_slash ? 1 : 0));
  const auto* const fixed = std::ranges::find(kFixed, bare, &Fixed::path);
  if (fixed != kFixed.end()) return {.kind = fixed->kind, .name_space = {}, .metric = {}};
  const Segments segments(path);
  const auto parts = segments.parts();
  const Route::Kind kind = kind_of(parts);
  if (kind != Route::Kind::metric && kind != Route::Kind::explanation)
    return {.kind = kind, .name_space = {}, .metric = {}};
  return {.kind = kind, .name_space = std::string(parts[4]), .metric = std::string(parts[5])};
}

Attributes attributes_of(const Request& request) {
  const Segments segments(request.path);
  const auto parts = segments.parts();
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
  auto rest = parts.subspan(3);
  if (rest[0] == "namespaces" && rest.size() > 1) {
    out.name_space = rest[1];
    const bool is_subresource = rest.size() > 2 && (rest[2] == "status" || rest[2] == "finalize");
    // ".../namespaces/NS/METRIC" names METRIC; "status" and "finalize" belong to the namespace
    // itself.
    if (rest.size() > 2 && !is_subresource) rest = rest.subspan(2);
  }
  out.resource = rest[0];
  if (rest.size() > 1) out.name = rest[1];
  if (rest.size() > 2) out.subresource = rest[2];
  // A metric's explanation belongs to the metric and is no object of a name: its leave is the
  // subresource's.
  if (kind_of(parts) == Route::Kind::explanation && parts[5] == out.resource)
    std::swap(out.name, out.subresource);
  out.verb = resource_verb(request, rest.size() > 1);
  // A list of one name is authorized as that name.
  if (out.verb == "list" || out.verb == "watch") out.name = selected_name(request).value_or("");
  return out;
}

}  // namespace weir::apiservice
