// Everything that is answered from bytes made at load time: discovery, OpenAPI, version and index.
// Never waits, never asks a backend. Pure.
#pragma once

#include "apiservice/discovery.hpp"
#include "apiservice/open_api.hpp"
#include "apiservice/request/http.hpp"
#include "apiservice/request/paths.hpp"

namespace weir::apiservice {

class Shelf {
 public:
  explicit Shelf(Discovery discovery);

  // The answer to a GET of a route that is no metric: 200, 304 to a caller that has it, or 406.
  [[nodiscard]] Response answer(Route::Kind kind, const Request& request) const;

 private:
  [[nodiscard]] Response groups(const Request& request) const;

  Discovery discovery_;
  OpenApi open_api_ = make_open_api();
};

}  // namespace weir::apiservice
