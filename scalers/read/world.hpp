// Everything that one configuration means, built whole or not at all: backends, metrics and the
// Source that reads them. A reload builds a new World beside the old one and swaps; reads in flight
// keep theirs. Loop thread only.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/explanation.hpp"
#include "scalers/read/backend_health.hpp"
#include "scalers/read/failures/failing_reads.hpp"
#include "scalers/read/metric_index.hpp"
#include "scalers/reading.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// The read that an observer is notified of. The texts live for the call.
struct ReadOf {
  MetricId id;
  const MetricIndex* index;  // that `id` belongs to: of the configuration the read began with
  std::string_view backend;
  std::string_view metric;      // as the configuration spells it
  std::string_view name_space;  // of the caller
};

// What served a read that sent no query of its own: a cached answer, or a query in flight.
enum class Reuse { cached, shared };

// Notified of changes, once each (what the log shows), and of every read (what telemetry counts).
class ReadObserver {
 public:
  ReadObserver() = default;
  ReadObserver(const ReadObserver&) = delete;
  ReadObserver& operator=(const ReadObserver&) = delete;
  virtual ~ReadObserver() = default;
  // A query failed because of the backend itself (unreachable, TLS, credentials, no response).
  // `address` is where the configuration says that it is: "host:port", or several of them.
  virtual void backend_down(std::string_view backend,
                            std::string_view address,
                            const Error& error) = 0;
  // `after`: how long it was down.
  virtual void backend_up(std::string_view backend, Duration after) = 0;
  // The reads of a metric with one set of parameters began to fail, or fail with another code than
  // before, or their cause was found. `cause` is that of a diagnosis; empty: none so far. Bounded
  // in number: see read::FailingReads.
  virtual void metric_failing(std::string_view backend,
                              const read::FailingRead& read,
                              const Error& error,
                              std::string_view cause) = 0;
  // A query has a value for them again, `after` so long.
  virtual void metric_recovered(std::string_view backend,
                                const read::FailingRead& read,
                                Duration after) = 0;
  // A query ended: the backend responded or failed, or had no room for it (Errc::overloaded).
  // `failure` is the verdict of the metric's policies, nullopt for a value. `took` does not include
  // the wait for a permit.
  virtual void query_done(const ReadOf& of,
                          std::optional<Errc> failure,
                          SteadyTime::duration took) = 0;
  virtual void answer_reused(const ReadOf& of, Reuse how) = 0;
  // A policy of the metric changed the number of a read; `policy`, a literal, is its key in the
  // configuration.
  virtual void value_changed(const ReadOf& of, std::string_view policy) = 0;
  // A read returned the number of the metric's fallback in place of an error.
  virtual void fallback_used(const ReadOf& of) = 0;
  // A read returned a value.
  virtual void value_reported(const ReadOf& of, const Reading& reading) = 0;
};

// What discovery, `weir check` and messages need to know of a metric.
struct MetricInfo {
  struct Label {
    std::string name;
    bool has_default;
    std::string pattern{};  // RE2; a value must match it as a whole
  };
  std::string name;
  std::vector<std::string> namespaces;  // "*" alone means every namespace
  std::vector<Label> labels;
  std::string backend;
  bool is_per_namespace = false;  // its query contains $(namespace)
  bool is_filtered = false;       // its selector chooses among samples and binds no label
  std::string_view kind = {};     // "prometheus", of the catalog; empty: unknown
  bool has_empty = false;         // its entry sets a number for `empty`
};

// A backend at this moment, for telemetry and for the world that replaces this one.
struct BackendState {
  std::string name;                             // empty: of the metrics of skipped files
  std::size_t settings;                         // a hash: equal for the same server
  std::shared_ptr<read::BackendHealth> health;  // never null
  std::size_t in_flight;
  std::size_t waiting;  // queries that wait for a permit
  ConnectionCounts connections;
  std::shared_ptr<read::FailingReads> failing = {};  // null: not known
  // That its settings name; never null. Second owner: the backend.
  std::shared_ptr<const std::vector<LocalFile>> files =
      std::make_shared<const std::vector<LocalFile>>();
  // As Backend::address(): for an operator, never for a Status. Empty: unknown.
  std::string address = {};
  std::string proxy = {};                 // as Backend::proxy
  std::vector<std::string> remarks = {};  // as Backend::remarks
};

// The error of a read of `metric` with these requirements; nullopt when they bind its labels, or
// filter its samples. Sends no query.
[[nodiscard]] std::optional<Error> selector_refusal(const MetricInfo& metric,
                                                    std::span<const LabelRequirement> requirements);

class World {
 public:
  // Builds from the documents' `backends` and `metrics`; adds every problem, and returns null when
  // there is any. `loop`, `clients`, `clock` and `observer` outlive the world and every read it
  // started. `before`: the backends of the world that this one replaces; those of the same
  // name and settings share their health, because queries of the old world may still end; one with
  // other settings begins in the same state. `skipped`: documents of files that have problems;
  // reads of what they name are errors (Errc::misconfigured).
  [[nodiscard]] static std::unique_ptr<World> build(std::span<const Node> documents,
                                                    Loop& loop,
                                                    Clients& clients,
                                                    const Clock& clock,
                                                    ReadObserver& observer,
                                                    Problems& problems,
                                                    std::span<const BackendState> before = {},
                                                    std::span<const Node> skipped = {});

  using ListBackends = std::function<std::vector<BackendState>()>;

  World(std::shared_ptr<Source> source,
        std::shared_ptr<Explainer> explainer,
        std::vector<MetricInfo> metrics,
        std::shared_ptr<const MetricIndex> index,
        ListBackends backends)
      : source_(std::move(source)),
        explainer_(std::move(explainer)),
        metrics_(std::move(metrics)),
        index_(std::move(index)),
        backends_(std::move(backends)) {}

  [[nodiscard]] Source& source() { return *source_; }
  [[nodiscard]] Explainer& explainer() { return *explainer_; }
  // By MetricId: in the order of the configuration.
  [[nodiscard]] const std::vector<MetricInfo>& metrics() const { return metrics_; }
  // The names of metrics().
  [[nodiscard]] const std::shared_ptr<const MetricIndex>& index() const { return index_; }
  [[nodiscard]] std::vector<BackendState> backends() const { return backends_(); }

 private:
  std::shared_ptr<Source> source_;        // second owner: the queries in flight
  std::shared_ptr<Explainer> explainer_;  // the same object's other interface
  std::vector<MetricInfo> metrics_;
  std::shared_ptr<const MetricIndex> index_;  // second owners: the reader, telemetry
  ListBackends backends_;
};

// The settings that every backend and every metric has whatever its kind, for `weir describe`.
[[nodiscard]] std::vector<SettingDoc> common_backend_settings();
[[nodiscard]] std::vector<SettingDoc> common_metric_settings();

}  // namespace weir::scalers
