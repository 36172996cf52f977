// The read path: finds the metric, binds or filters by the selector, answers from the cache, joins
// an identical query in flight (single flight), or queries the backend under its limits; then comes
// to a verdict. This file has their order; each part has a file of its own. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/explanation.hpp"
#include "scalers/read/diagnoses.hpp"
#include "scalers/read/metric.hpp"
#include "scalers/read/metric_index.hpp"
#include "scalers/read/policies/fallback.hpp"
#include "scalers/read/policies/verdict.hpp"
#include "scalers/read/query_cache.hpp"
#include "scalers/read/world.hpp"
#include "scalers/reading.hpp"
#include "scalers/single_flight.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::read {

// How long a failed query is not repeated: this long, give or take a fifth by chance.
inline constexpr Duration kKeepError{1000};

class Reader final : public Source, public Explainer, public std::enable_shared_from_this<Reader> {
 public:
  // `metrics` by MetricId, whose names are those of `index`. `loop`, `clock` and `observer` outlive
  // the reader and its reads. `seed` feeds the jitter alone.
  Reader(Loop& loop,
         const Clock& clock,
         ReadObserver& observer,
         std::vector<std::unique_ptr<ConfiguredBackend>> backends,
         std::vector<Metric> metrics,
         std::shared_ptr<const MetricIndex> index,
         std::uint32_t seed);

  [[nodiscard]] std::optional<MetricId> find(std::string_view metric) const override {
    return index_->find(metric);
  }
  [[nodiscard]] std::string spelling_of(std::string_view metric,
                                        std::optional<MetricId> id) const override {
    const auto found = index_->find(metric, id);
    return std::string(found ? index_->name(*found) : metric);
  }
  [[nodiscard]] awaitable<Result<std::vector<Reading>>> read(Query query,
                                                             Deadline deadline) override;
  [[nodiscard]] awaitable<Result<Explanation>> explain(Query query, Deadline deadline) override;
  [[nodiscard]] std::vector<BackendState> backends() const;

 private:
  // By cache key. The budget of a query is the deadline of the metric that started it.
  using Queries = SingleFlight<std::string, AnswerPtr>;
  using InFlightQuery = Queries::InFlightPtr;
  // One query of a read, and what serves it: a cached answer, or else the query in flight.
  struct PendingQuery {
    Parameters parameters;
    std::string key;
    AnswerPtr answer = nullptr;
    InFlightQuery in_flight = nullptr;
  };

  // The metric that serves the query, or Errc::unknown_metric; bad_request for a namespace that its
  // query cannot contain.
  [[nodiscard]] Result<MetricId> find(const Query& query) const;
  [[nodiscard]] Error unknown_metric(const Query& query) const;
  [[nodiscard]] const Metric& metric(MetricId id) const {
    return metrics_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] ReadOf read_of(MetricId id, std::string_view name_space) const;

  // The cached answer if it is still fresh, else the query in flight that will bring one (joined or
  // started).
  [[nodiscard]] PendingQuery cached_or_in_flight(MetricId id, Parameters parameters);
  [[nodiscard]] bool is_fresh(const Metric& metric, const Answer& answer) const;
  // The answer for a read that waited in vain: it can wait no longer, or the query was abandoned.
  [[nodiscard]] AnswerPtr answer_without_result(Deadline due, bool is_abandoned) const;

  // Queries the backend and completes the query. `self` keeps the reader alive when a reload drops
  // it meanwhile.
  static awaitable<void> run_query(std::shared_ptr<Reader> self,
                                   MetricId id,
                                   std::string key,
                                   Parameters parameters,
                                   Queries::Run run);
  // Hands `answer` to the waiters of `run` and to later reads. `was_sent`: the answer is of the
  // backend, not an error of the wait for a permit.
  void complete_query(MetricId id,
                      const std::string& key,
                      Parameters parameters,
                      const Queries::Run& run,
                      Answer answer,
                      bool was_sent);
  void observe(ConfiguredBackend& backend, const Answer& answer);
  [[nodiscard]] std::optional<Duration> time_since_recovery(const ConfiguredBackend& backend,
                                                            const Answer& answer) const;
  // The read of `query` failed: a line for the log when one is due. `cause`: of a diagnosis.
  void note_failure(const Metric& metric,
                    const PendingQuery& query,
                    std::span<const LabelRequirement> filter,
                    const Error& error,
                    std::string_view cause);
  // The query `key` has `answer`: reads that failed before, and are a value with it, recovered.
  void note_recoveries(const Metric& metric,
                       const std::string& key,
                       const Parameters& parameters,
                       const Answer& answer);
  // Starts a diagnosis of a failed query when one is due.
  void maybe_start_diagnosis(const Metric& metric,
                             const std::string& key,
                             Parameters parameters,
                             const Answer& answer,
                             const Verdict& verdict);
  // The diagnosis, in the background. `self` as in run_query().
  static awaitable<void> run_diagnosis(std::shared_ptr<Reader> self,
                                       const Metric* metric,
                                       std::string key,
                                       Parameters parameters,
                                       Result<Samples> reply);
  // The scaler's diagnosis, whatever it throws.
  [[nodiscard]] awaitable<Diagnosis> diagnose(const Metric* metric,
                                              Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline);

  // What an HPA gets of an answer: the verdict, or the fallback in place of its error.
  struct Outcome {
    Verdict verdict;
    bool is_fallback;
  };
  // Changes nothing. Appends to `steps` as judge() does.
  [[nodiscard]] Outcome with_fallback(MetricId id,
                                      Verdict verdict,
                                      const std::string& key,
                                      std::span<const LabelRequirement> filter,
                                      PolicySteps* steps = nullptr);
  // Comes to the outcome of a query that has its answer, notifies the observer, and appends to
  // `readings`, which takes the labels of `query`; the error if it comes to one.
  [[nodiscard]] std::optional<Error> report(MetricId id,
                                            PendingQuery& query,
                                            std::span<const LabelRequirement> filter,
                                            std::vector<Reading>& readings);
  [[nodiscard]] static std::string history_key(MetricId id,
                                               const std::string& key,
                                               std::span<const LabelRequirement> filter);

  // One query of an explanation, and its reply for the diagnosis.
  struct ExplainedQuery {
    Explanation::BackendQuery query;
    Result<Samples> reply;
  };
  [[nodiscard]] awaitable<ExplainedQuery> explain_query(MetricId id,
                                                        Parameters parameters,
                                                        std::vector<LabelRequirement> filter,
                                                        Deadline deadline);
  // The same query with the diagnosis of its reply.
  [[nodiscard]] awaitable<ExplainedQuery> with_diagnosis(const Metric* metric,
                                                         std::string name_space,
                                                         ExplainedQuery explained,
                                                         Deadline deadline);
  [[nodiscard]] Duration jittered(Duration span);

  Loop& loop_;
  const Clock& clock_;
  ReadObserver& observer_;
  std::vector<std::unique_ptr<ConfiguredBackend>> backends_;
  std::vector<Metric> metrics_;               // by MetricId
  std::shared_ptr<const MetricIndex> index_;  // second owner: telemetry
  QueryCache cache_;
  FallbackHistory history_;
  Diagnoses diagnoses_;
  std::map<std::string, std::size_t> explaining_;  // explanations in progress by namespace
  Queries in_flight_;
  std::minstd_rand random_;
};

// The key of a query in the cache, among those in flight, and in the diagnoses.
[[nodiscard]] std::string key_of(const Metric& metric, const Parameters& parameters);
// The values of one answer as readings: the labels are the bound ones and the sample's own.
void append_readings(std::vector<Reading>& out, Labels bound, std::vector<JudgedSample> values);

}  // namespace weir::scalers::read
