// Documents that are rendered when a configuration is loaded: discovery, OpenAPI, version and
// index. Serving them never waits and never queries a backend. Pure.
#pragma once

#include "apiservice/discovery.hpp"
#include "apiservice/endpoints.hpp"
#include "apiservice/groups/group.hpp"
#include "apiservice/open_api.hpp"
#include "apiservice/version.hpp"

#include <span>
#include <string>

namespace weir::apiservice {

class PrerenderedDocuments {
 public:
  // `other_paths` are listed in the index beside those of the documents.
  PrerenderedDocuments(std::span<const ApiGroup> groups,
                       std::span<const std::string> other_paths,
                       const VersionInfo& version);

  // A row for each document: 200, 304 for a matching ETag, 406, or 405 for methods other than GET.
  // The rows refer to this object, which must outlive them.
  [[nodiscard]] Endpoints endpoints() const;

  [[nodiscard]] const Discovery& discovery() const { return discovery_; }
  [[nodiscard]] const OpenApi& open_api() const { return open_api_; }

 private:
  [[nodiscard]] Response groups(const Request& request) const;

  Discovery discovery_;
  OpenApi open_api_;
  std::string version_;
  std::string index_;
};

}  // namespace weir::apiservice
