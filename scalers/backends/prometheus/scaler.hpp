// One metric of a prometheus backend: its query and, with maxAge, its age query. Loop thread only.
#pragma once

#include "scalers/backends/prometheus/diagnosis.hpp"
#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/backends/prometheus/request_settings.hpp"
#include "scalers/backends/prometheus/settings.hpp"
#include "scalers/kind.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::scalers::backends::prometheus {

// What requests of one metric and one caller have, beside the settings of the backend.
struct RequestScope {
  std::string name_space;         // rendered in headers
  UrlPairs parameters;            // of the backend and of the metric
  bool depends_on_label = false;  // not on the metric and the namespace alone
};

// The server as its metrics query it: what the backend does for them.
class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  [[nodiscard]] virtual awaitable<Result<Sample>> run_query(std::string query,
                                                            RequestScope scope,
                                                            Aggregate aggregate,
                                                            Warnings warnings,
                                                            Deadline deadline) = 0;
  // As Api, for the requests of `scope`.
  [[nodiscard]] virtual awaitable<std::optional<Error>> send(ApiQuery query,
                                                             RequestScope scope,
                                                             Api::OnReply on_reply,
                                                             Deadline deadline) = 0;
  [[nodiscard]] virtual std::vector<std::string> redactions(const RequestScope& scope) const = 0;

  // Whether the namespace of the caller is a part of each request.
  [[nodiscard]] virtual bool has_namespace() const = 0;
  // The parameters of each request, for a metric's own to be added.
  [[nodiscard]] virtual UrlPairs parameters_for(const Parameters& caller) const = 0;
  // "X-Scope-OrgID: team-a": the headers that depend on the caller, for people; empty: none.
  [[nodiscard]] virtual std::string headers_for(const std::string& name_space) const = 0;
};

// `server` outlives the scaler.
[[nodiscard]] std::unique_ptr<Scaler> make_metric_scaler(Server& server, MetricBlock metric);

}  // namespace weir::scalers::backends::prometheus
