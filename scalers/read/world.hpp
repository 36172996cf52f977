// Everything that one configuration means, built whole or not at all: backends, metrics and the
// Source that reads them. A reload builds a new World beside the old one and swaps; reads under way
// keep theirs. Loop thread only.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/explanation.hpp"
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

// Which read an observer is told of, in the configuration's words but for the namespace. The texts
// live for the call.
struct ReadOf {
  std::string_view backend;
  std::string_view metric;
  std::string_view name_space;
};

// What served a read that put no question of its own: a kept answer, or a question under way.
enum class Reuse { cached, shared };

// Told of changes, once each (what the log shows), and of every read (what telemetry counts).
class ReadObserver {
 public:
  ReadObserver() = default;
  ReadObserver(const ReadObserver&) = delete;
  ReadObserver& operator=(const ReadObserver&) = delete;
  virtual ~ReadObserver() = default;
  // A question failed for want of the backend itself (unreachable, TLS, credentials, silence).
  virtual void backend_down(std::string_view backend, const Error& error) = 0;
  virtual void backend_up(std::string_view backend) = 0;
  // A question came back from its backend, or found no room there (Errc::overloaded): what it came
  // to by the metric's policies, nullopt for a value. `took` leaves out the wait for its turn.
  virtual void question_done(const ReadOf& of,
                             std::optional<Errc> failure,
                             SteadyTime::duration took) = 0;
  // A policy of the metric changed the number of a read; `policy`, a literal, is its key in the
  // configuration.
  virtual void value_changed(const ReadOf& of, std::string_view policy) = 0;
  virtual void answer_reused(const ReadOf& of, Reuse how) = 0;
  // A read was answered with the number of the metric's fallback, in place of an error.
  virtual void fallback_given(const ReadOf& of) = 0;
  // A read of a metric without labels gave a value.
  virtual void value_given(const ReadOf& of, const Reading& reading) = 0;
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
  bool is_per_namespace = false;  // its question holds $(namespace)
};

// How a backend fares at this moment, for telemetry.
struct BackendState {
  std::string name;
  bool is_down;  // as ReadObserver was told last
  std::size_t in_flight;
  std::size_t waiting;  // for a place among those in flight
  ConnectionCounts connections;
  bool is_unreachable = false;                  // it did not respond to its last queries
  std::optional<SteadyTime> recovered_at = {};  // its first response after that
};

// Why a selector of these requirements would be refused by `metric`, in the words of a read;
// nullopt when it binds the metric's labels. Asks nobody.
[[nodiscard]] std::optional<Error> selector_refusal(const MetricInfo& metric,
                                                    std::span<const LabelRequirement> requirements);

class World {
 public:
  // Builds from the documents' `backends` and `metrics`; adds every problem, and returns null when
  // there is any. `loop`, `clients`, `clock` and `observer` outlive the world and every read it
  // started. `before`: how the backends fared in the world whose place this one takes; those of the
  // same name go on from there.
  [[nodiscard]] static std::unique_ptr<World> build(std::span<const Node> documents,
                                                    Loop& loop,
                                                    Clients& clients,
                                                    const Clock& clock,
                                                    ReadObserver& observer,
                                                    Problems& problems,
                                                    std::span<const BackendState> before = {});

  using ListBackends = std::function<std::vector<BackendState>()>;

  World(std::shared_ptr<Source> source,
        std::shared_ptr<Explainer> explainer,
        std::vector<MetricInfo> metrics,
        ListBackends backends)
      : source_(std::move(source)),
        explainer_(std::move(explainer)),
        metrics_(std::move(metrics)),
        backends_(std::move(backends)) {}

  [[nodiscard]] Source& source() { return *source_; }
  [[nodiscard]] Explainer& explainer() { return *explainer_; }
  // In the order of the configuration.
  [[nodiscard]] const std::vector<MetricInfo>& metrics() const { return metrics_; }
  [[nodiscard]] std::vector<BackendState> backends() const { return backends_(); }

 private:
  std::shared_ptr<Source> source_;        // second owner: the questions under way
  std::shared_ptr<Explainer> explainer_;  // the same object's other face
  std::vector<MetricInfo> metrics_;
  ListBackends backends_;
};

// The settings that every backend and every metric has whatever its kind, for `weir describe`.
[[nodiscard]] std::vector<SettingDoc> common_backend_settings();
[[nodiscard]] std::vector<SettingDoc> common_metric_settings();

}  // namespace weir::scalers
