// Telemetry that knows the endpoints of a whole server, and counts requests under them.
#pragma once

#include "server/telemetry/telemetry.hpp"
#include "test/rigs/server_rig.hpp"

#include <chrono>

namespace weir::test {

class ServerTelemetry final : public server::Telemetry {
 public:
  ServerTelemetry() { set_endpoints(api_server().group_versions(), api_server().endpoints()); }

  // Counts the request as answered with `status` after `took`.
  void count(const apiservice::Request& request, int status, std::chrono::milliseconds took) {
    request_done(labels_of(request, api_server().request_info(request)), status, took);
  }

 private:
  [[nodiscard]] const apiservice::ApiServer& api_server() const { return rig_.api.server; }

  ServerRig rig_;
};

}  // namespace weir::test
