// A Router over the ApiService of an ApiRig, with a health that tests may change and a telemetry
// page of one line. Only this file knows how a Router is constructed and called.
#pragma once

#include "server/http/router.hpp"
#include "test/rigs/api_rig.hpp"

#include <string>

namespace weir::test {

struct RouterRig {
  // Sends the request through the Router, and records its user in `user`.
  apiservice::Response send(apiservice::Request request) {
    user.clear();
    return run(api.loop, router.answer(request, kRequestDeadline, user));
  }

  ApiRig api;
  server::Health health;
  server::Router router{health, api.service, [] { return std::string("a page\n"); }};
  std::string user;  // of the last send(); empty when the router named none
};

}  // namespace weir::test
