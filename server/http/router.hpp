// Sends a request where it belongs: health for everybody; telemetry and the rest to those whom the
// API service admits.
#pragma once

#include "apiservice/api_server.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/http/health.hpp"

#include <functional>
#include <string>
#include <utility>

namespace weir::server {

class Router {
 public:
  // All outlive the router and every request in it. `telemetry_page` renders /metrics.
  Router(const Health& health,
         apiservice::ApiService& api,
         std::function<std::string()> telemetry_page)
      : health_(health), api_(api), telemetry_page_(std::move(telemetry_page)) {}

  // `user` is told who acts, where that was asked. Both are lent until the answer is there.
  [[nodiscard]] awaitable<apiservice::Response> answer(apiservice::Request& request,
                                                       Deadline deadline,
                                                       std::string& user);

 private:
  const Health& health_;
  apiservice::ApiService& api_;
  std::function<std::string()> telemetry_page_;
};

}  // namespace weir::server
