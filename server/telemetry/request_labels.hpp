// What a request is counted as: few words of our own, whatever a caller sends. Only the name of a
// metric is the caller's, until the counts have found it in the configuration. Pure.
#pragma once

#include "apiservice/endpoints.hpp"
#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/reading.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

// The verbs of Kubernetes' own counts; `other` is last.
enum class Verb { get, list, watch, head, post, put, patch, remove, remove_all, options, other };
inline constexpr std::size_t kVerbs = static_cast<std::size_t>(Verb::other) + 1;

// A place in the table of endpoints.
enum class EndpointId : std::size_t {};

struct EndpointLabels {
  std::string subresource;  // the path of what is not a resource, as Kubernetes counts it
  std::string group;
  std::string version;
  std::string scope;

  friend bool operator==(const EndpointLabels&, const EndpointLabels&) = default;
};

struct RequestLabels {
  Verb verb = Verb::other;
  EndpointId endpoint{};  // the first one: none of ours
  std::string metric;     // as the caller spells it; empty: the request is for none
  std::optional<scalers::MetricId> id = {};  // of `metric`; nullopt: not known
};

// A row for everything that is told apart: what is unknown; of each served group version its
// collections, explanations and other resources; each labelled path.
class EndpointTable {
 public:
  EndpointTable() = default;
  EndpointTable(std::span<const apiservice::GroupVersion> served,
                const apiservice::Endpoints& endpoints);

  [[nodiscard]] RequestLabels labels_of(const apiservice::Request& request,
                                        const apiservice::RequestInfo& info) const;
  [[nodiscard]] const EndpointLabels& operator[](EndpointId id) const {
    return rows_.at(static_cast<std::size_t>(id));
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  std::vector<EndpointLabels> rows_{EndpointLabels{}};
  std::size_t first_path_ = 1;
  std::vector<std::size_t> row_of_;  // by the place of the ApiServer's endpoint
};

// "LIST"; "DELETECOLLECTION" is remove_all.
[[nodiscard]] std::string_view name_of(Verb verb);
// As Kubernetes divides what is under way: whether it could change anything.
[[nodiscard]] bool is_mutating(Verb verb);

}  // namespace weir::server
