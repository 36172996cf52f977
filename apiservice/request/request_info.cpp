// The path is parsed here and nowhere else, because two parsers could disagree on what was
// authorized and what was served.
#include "apiservice/request/request_info.hpp"

#include "apiservice/meta/list_options.hpp"
#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::apiservice {
namespace {

using Route = RequestInfo::Route;

// The segments between slashes. A trailing slash adds none; an empty segment inside is kept. At
// most eight, because no rule looks further.
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

std::string resource_verb(const Request& request, bool is_named) {
  const std::string& method = request.method;
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return is_named ? "delete" : "deletecollection";
  if (method != "GET" && method != "HEAD") return {};
  // HEAD has the verbs of GET, as in Kubernetes, although every route answers it with a 405.
  if (is_named) return "get";
  return is_true(request, "watch") ? "watch" : "list";
}

// Where a path of a served group version leads.
Route route_below(std::span<const std::string_view> parts) {
  if (parts.size() < 6 || parts[3] != "namespaces" || parts[4].empty() || parts[5].empty())
    return Route::unknown_resource;
  if (parts.size() == 6) return Route::collection;
  if (parts.size() == 7 && parts[6] == kExplain) return Route::explanation;
  return Route::unknown_resource;
}

void set_route(RequestInfo& out,
               std::span<const std::string_view> parts,
               std::span<const GroupVersion> served) {
  out.route = Route::unserved;
  for (const GroupVersion& candidate : served) {
    if (candidate.group != parts[1] || candidate.version != parts[2]) continue;
    out.group_version = static_cast<std::size_t>(&candidate - served.data());
    out.route = route_below(parts);
    return;
  }
}

}  // namespace

RequestInfo request_info_of(const Request& request, std::span<const GroupVersion> served) {
  const Segments segments(request.path);
  const auto parts = segments.parts();
  RequestInfo out;
  // Any group counts as a resource request, as it does for Kubernetes; the route says whether it is
  // served.
  if (parts.size() < 4 || parts[0] != "apis") {
    out.verb = scalers::lower_case(request.method);
    out.path = request.path;
    return out;
  }
  out.is_resource = true;
  out.group = parts[1];
  out.version = parts[2];
  set_route(out, parts, served);
  auto rest = parts.subspan(3);
  if (rest[0] == "namespaces" && rest.size() > 1) {
    out.name_space = rest[1];
    out.is_part_of_namespace = rest.size() > 2 && (rest[2] == "status" || rest[2] == "finalize");
    // ".../namespaces/NS/METRIC" names METRIC; "status" and "finalize" belong to the namespace
    // itself.
    if (rest.size() > 2 && !out.is_part_of_namespace) rest = rest.subspan(2);
  }
  out.resource = rest[0];
  if (rest.size() > 1) out.name = rest[1];
  if (rest.size() > 2) out.subresource = rest[2];
  // An explanation is a subresource of the collection, not an object: it needs a permission of its
  // own.
  if (out.route == Route::explanation && !out.is_part_of_namespace)
    std::swap(out.name, out.subresource);
  out.verb = resource_verb(request, rest.size() > 1);
  // A list of one name is authorized as that name.
  if (out.verb == "list" || out.verb == "watch") out.name = selected_name(request).value_or("");
  return out;
}

}  // namespace weir::apiservice
