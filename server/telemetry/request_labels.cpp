// From a request to its labels, so that what a caller sends never becomes one.
#include "server/telemetry/request_labels.hpp"

#include "apiservice/meta/list_options.hpp"

#include <algorithm>
#include <array>

namespace weir::server {
namespace {

using Route = apiservice::RequestInfo::Route;

// Of each group version: its collections, their explanations, and its other resources.
constexpr std::size_t kRowsOfGroupVersion = 3;

struct Method {
  std::string_view name;
  Verb verb;
};
// Any token is a method (RFC 9110, 9.1), so that all others count as one.
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

// What is read of a collection is a list. The verbs are those of Kubernetes' RequestInfo, which
// treats HEAD as GET.
Verb collection_verb(const apiservice::Request& request) {
  const Verb verb = verb_of(request.method);
  if (verb == Verb::remove) return Verb::remove_all;
  if (verb != Verb::get && verb != Verb::head) return verb;
  return apiservice::is_true(request, "watch") ? Verb::watch : Verb::list;
}

}  // namespace

EndpointTable::EndpointTable(std::span<const apiservice::GroupVersion> served,
                             const apiservice::Endpoints& endpoints) {
  for (const auto& [group, version] : served) {
    rows_.push_back({"", group, version, "namespace"});
    rows_.push_back({std::string(apiservice::kExplain), group, version, "namespace"});
    rows_.push_back({"", group, version, ""});
  }
  first_path_ = rows_.size();
  for (const apiservice::Endpoint& endpoint : endpoints) {
    // From the first path on, because the rows of explanations have a subresource too.
    auto row = std::find_if(rows_.begin() + static_cast<std::ptrdiff_t>(first_path_),
                            rows_.end(),
                            [&](const auto& one) { return one.subresource == endpoint.label; });
    if (row == rows_.end())
      row = rows_.insert(rows_.end(), {endpoint.label, endpoint.group, endpoint.version, ""});
    row_of_.push_back(static_cast<std::size_t>(row - rows_.begin()));
  }
}

RequestLabels EndpointTable::labels_of(const apiservice::Request& request,
                                       const apiservice::RequestInfo& info) const {
  // Row 0 is for everything that is unknown.
  const std::size_t first = 1 + kRowsOfGroupVersion * info.group_version;
  switch (info.route) {
    case Route::collection:
      return {collection_verb(request), EndpointId{first}, info.collection(), info.metric};
    // A subresource of one metric, so that its GET is not a list.
    case Route::explanation:
      return {verb_of(request.method), EndpointId{first + 1}, info.collection(), info.metric};
    // Without its name, which the caller has chosen.
    case Route::unknown_resource: return {verb_of(request.method), EndpointId{first + 2}, ""};
    case Route::unserved:
    case Route::non_resource: break;
  }
  const bool is_known = info.endpoint < row_of_.size();
  return {verb_of(request.method), EndpointId{is_known ? row_of_[info.endpoint] : 0}, ""};
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
  return verb != Verb::get && verb != Verb::list && verb != Verb::watch && verb != Verb::head;
}

}  // namespace weir::server
