// Telemetry that knows the endpoints of a whole server, and counts requests under them.
#pragma once

#include "server/telemetry/telemetry.hpp"
#include "test/rigs/server_rig.hpp"

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace weir::test {

class ServerTelemetry final : public server::Telemetry {
 public:
  explicit ServerTelemetry(server::TelemetrySettings settings = {}) : Telemetry(settings) {
    set_endpoints(api_server().group_versions(), api_server().endpoints());
  }

  // Puts the metrics in force.
  void configure(const std::vector<scalers::MetricInfo>& metrics) {
    std::vector<std::string_view> names;
    for (const auto& metric : metrics) names.emplace_back(metric.name);
    set_metrics(metrics, std::make_shared<const scalers::MetricIndex>(names));
  }
  // Counts the request as answered with `status` after `took`.
  void count(const apiservice::Request& request, int status, std::chrono::milliseconds took) {
    request_done(labels_of(request, api_server().request_info(request)), status, took);
  }
  // The page's lines that begin so, in its order.
  [[nodiscard]] std::vector<std::string> lines(std::string_view prefix, const State& state) {
    std::istringstream page(this->page(state));
    std::vector<std::string> out;
    for (std::string line; std::getline(page, line);) {
      if (line.starts_with(prefix)) out.push_back(line);
    }
    return out;
  }

 private:
  [[nodiscard]] const apiservice::ApiServer& api_server() const { return rig_.api.server; }

  ServerRig rig_;
};

}  // namespace weir::test
