// Sends a request where it belongs: health for everybody, the rest to those whom the API service
// admits.
#pragma once

#include "apiservice/service.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/health.hpp"

namespace weir::server {

class Router {
 public:
  // Both outlive the router and every request in it.
  Router(const Health& health, apiservice::ApiService& api) : health_(health), api_(api) {}

  [[nodiscard]] awaitable<apiservice::Response> answer(apiservice::Request request,
                                                       Deadline deadline);

 private:
  const Health& health_;
  apiservice::ApiService& api_;
};

}  // namespace weir::server
