// What is answered from bytes made at load time: discovery, OpenAPI, version and index. Never
// waits, never asks a backend. Pure.
#pragma once

#include "apiservice/discovery.hpp"
#include "apiservice/endpoints.hpp"
#include "apiservice/groups/group.hpp"
#include "apiservice/open_api.hpp"

#include <span>
#include <string>

namespace weir::apiservice {

class PrerenderedDocuments {
 public:
  // `other_paths` stand in the index beside those of the documents.
  PrerenderedDocuments(std::span<const ApiGroup> groups, std::span<const std::string> other_paths);

  // A row for each document: 200, 304 to a caller that has it, 406, or 405 to another method than
  // GET. The rows refer to this object and are good for as long as it lives.
  [[nodiscard]] Endpoints endpoints() const;

  [[nodiscard]] const Discovery& discovery() const { return discovery_; }
  [[nodiscard]] const OpenApi& open_api() const { return open_api_; }

 private:
  [[nodiscard]] Response groups(const Request& request) const;

  Discovery discovery_;
  OpenApi open_api_;
  std::string index_;
};

}  // namespace weir::apiservice
