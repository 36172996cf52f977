// Everything that /metrics shows: the observer of reads and requests. Owned by the serve command,
// outlives the loop and its sessions; loop thread only. No other part includes prometheus-cpp.
#pragma once

#include "apiservice/endpoints.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/read/metric_index.hpp"
#include "scalers/read/world.hpp"
#include "server/connections/eviction.hpp"
#include "server/telemetry/request_labels.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

inline constexpr const char* kTelemetryType = "text/plain; version=0.0.4; charset=utf-8";

struct TelemetrySettings {
  // Of how many parameter sets the last values are shown: see ParameterValues. 0: none.
  std::size_t max_parameter_sets = 1000;
};

class Telemetry : public scalers::ReadObserver {
 public:
  explicit Telemetry(TelemetrySettings settings = {});
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
  ~Telemetry() override;

  // The configuration in force, with the index of its names. No other metric, backend or namespace
  // becomes a label; the series of those that are gone end.
  void set_metrics(const std::vector<scalers::MetricInfo>& metrics,
                   std::shared_ptr<const scalers::MetricIndex> index);

  // The rows of requests, by place: see ApiServer. Called once, before the first request.
  void set_endpoints(std::span<const apiservice::GroupVersion> served,
                     const apiservice::Endpoints& endpoints);
  // What a request is counted as.
  [[nodiscard]] RequestLabels labels_of(const apiservice::Request& request,
                                        const apiservice::RequestInfo& info) const;

  void request_began(Verb verb);
  void request_ended(Verb verb);
  void request_done(const RequestLabels& labels, int status, std::chrono::duration<double> took);
  // `peer` is an IP address. Has a line once a peer and minute.
  void tls_handshake_failed(const std::string& peer, std::string_view reason, SteadyTime now);
  // Writes the counts of handshakes that had no line of their own; to be called about once a
  // second.
  void flush_handshake_counts(SteadyTime now);
  void connection_evicted(Eviction why);

  // ReadObserver: what changes goes to the log, everything else is counted.
  void backend_down(std::string_view backend,
                    std::string_view address,
                    const scalers::Error& error) override;
  void backend_up(std::string_view backend, Duration after) override;
  void metric_failing(std::string_view backend,
                      const scalers::read::FailingRead& read,
                      const scalers::Error& error,
                      std::string_view cause) override;
  void metric_recovered(std::string_view backend,
                        const scalers::read::FailingRead& read,
                        Duration after) override;
  void query_done(const scalers::ReadOf& of,
                  std::optional<scalers::Errc> failure,
                  SteadyTime::duration took) override;
  void answer_reused(const scalers::ReadOf& of, scalers::Reuse how) override;
  void value_changed(const scalers::ReadOf& of, std::string_view policy) override;
  void fallback_used(const scalers::ReadOf& of) override;
  void value_reported(const scalers::ReadOf& of, const scalers::Reading& reading) override;

  void loop_was_late(std::chrono::duration<double> by);

  // What is read at each rendering rather than counted.
  struct Config {
    bool is_last_reload_successful;  // the files of now are those in force
    WallTime loaded_at;
    std::map<std::string, bool> files = {};  // whether each is not in use as it is
  };
  struct State {
    WallTime now;
    std::optional<Config> config;  // nullopt: as it was
    std::optional<WallTime> serving_certificate_expires;
    std::vector<scalers::BackendState> backends = {};
    std::uint64_t log_lines_dropped = 0;
    struct Connections {
      std::size_t certified = 0;
      std::size_t strangers = 0;
      std::size_t limit = 0;
    } connections = {};
    SteadyTime steady_now = {};
  };
  // The page in Prometheus' text format.
  [[nodiscard]] std::string page(const State& state);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::server
