// Everything that /metrics shows, and the counting behind it. Owned by the serve command, outlives
// the loop and its sessions; loop thread only. prometheus-cpp stays behind this header.
#pragma once

#include "apiservice/endpoints.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/read/world.hpp"
#include "server/telemetry/request_labels.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

inline constexpr const char* kTelemetryType = "text/plain; version=0.0.4; charset=utf-8";

class Telemetry {
 public:
  Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  ~Telemetry();

  // The configuration in force. No other metric or backend becomes a label; the series of those
  // that are gone end.
  void set_metrics(const std::vector<scalers::MetricInfo>& metrics);

  // The rows of requests, by place: see ApiServer. Called once, before the first request.
  void set_endpoints(std::span<const apiservice::GroupVersion> served,
                     const apiservice::Endpoints& endpoints);
  // What a request is counted as.
  [[nodiscard]] RequestLabels labels_of(const apiservice::Request& request,
                                        const apiservice::RequestInfo& info) const;

  void request_began(Verb verb);
  void request_ended(Verb verb);
  void request_done(const RequestLabels& labels, int status, std::chrono::duration<double> took);
  void tls_handshake_failed();

  void question_done(const scalers::ReadOf& of,
                     std::optional<scalers::Errc> failure,
                     std::chrono::duration<double> took);
  void answer_reused(const scalers::ReadOf& of, scalers::Reuse how);
  void value_changed(const scalers::ReadOf& of, std::string_view policy);  // a literal
  void fallback_given(const scalers::ReadOf& of);
  void value_given(const scalers::ReadOf& of, const scalers::Reading& reading);
  void loop_was_late(std::chrono::duration<double> by);

  // What is asked for at each rendering rather than counted.
  struct Config {
    bool is_well;  // the files of now are those in force
    WallTime loaded_at;
  };
  struct State {
    WallTime now;
    std::optional<Config> config;  // nullopt: as it was
    std::optional<WallTime> serving_certificate_expires;
    std::vector<scalers::BackendState> backends = {};
    std::uint64_t log_lines_dropped = 0;
  };
  // The page in Prometheus' text format.
  [[nodiscard]] std::string page(const State& state);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::server
