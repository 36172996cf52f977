// What a request is counted as: few words of our own, whatever a caller sends. Only the name of a
// metric is the caller's, until the counts have found it in the configuration. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::server {

// The verbs of Kubernetes' own counts; `other` is last.
enum class Verb { get, list, watch, head, post, put, patch, remove, remove_all, options, other };
inline constexpr std::size_t kVerbs = static_cast<std::size_t>(Verb::other) + 1;

// A place in the table of endpoints.
enum class Endpoint : std::size_t {};

struct EndpointLabels {
  std::string_view subresource;  // the path of what is no resource, as Kubernetes counts it
  std::string_view group;
  std::string_view version;
  std::string_view scope;
};

struct RequestLabels {
  Verb verb = Verb::other;
  Endpoint endpoint{};  // the first one: none of ours
  std::string metric;   // as asked; empty: no metric was
};

[[nodiscard]] RequestLabels labels_of(const apiservice::Request& request);

[[nodiscard]] std::size_t endpoint_count();
[[nodiscard]] const EndpointLabels& labels_of(Endpoint endpoint);
// "LIST"; "DELETECOLLECTION" is remove_all.
[[nodiscard]] std::string_view name_of(Verb verb);
// As Kubernetes divides what is under way: whether it could change anything.
[[nodiscard]] bool is_mutating(Verb verb);

}  // namespace weir::server
