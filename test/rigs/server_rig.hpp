// An ApiRig whose ApiServer has the server's own endpoints too: a health that tests may change, and
// a telemetry page of one line.
#pragma once

#include "server/http/endpoints.hpp"
#include "test/rigs/api_rig.hpp"

#include <string>
#include <utility>

namespace weir::test {

struct ServerRig {
  apiservice::Response send(apiservice::Request request) { return api.send(std::move(request)); }

  server::Health health;
  ApiRig api{{}, server::server_endpoints(health, [] { return std::string("a page\n"); })};
};

}  // namespace weir::test
