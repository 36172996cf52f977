// The read path: finds the metric, binds the selector, answers from the cache, joins an identical
// query in flight (single flight), or queries the backend under its limits; then applies the
// metric's policies. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/explanation.hpp"
#include "scalers/read/diagnoses.hpp"
#include "scalers/read/metric.hpp"
#include "scalers/read/query_cache.hpp"
#include "scalers/read/world.hpp"
#include "scalers/reading.hpp"
#include "scalers/single_flight.hpp"

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers::read {

// How long a failed question is not asked again: this long, give or take a fifth by chance.
inline constexpr Duration kKeepError{1000};
inline constexpr std::size_t kMaxKeptAnswers = 100'000;
inline constexpr std::size_t kMaxKeptOfNamespace = 10'000;

class Reader final : public Source, public Explainer, public std::enable_shared_from_this<Reader> {
 public:
  // `loop`, `clock` and `observer` outlive the reader and its reads. `seed` feeds the jitter alone.
  Reader(Loop& loop,
         const Clock& clock,
         ReadObserver& observer,
         std::vector<std::unique_ptr<ConfiguredBackend>> backends,
         std::vector<Metric> metrics,
         std::uint32_t seed);

  [[nodiscard]] awaitable<Result<std::vector<Reading>>> read(Query query,
                                                             Deadline deadline) override;
  [[nodiscard]] awaitable<Result<Explanation>> explain(Query query, Deadline deadline) override;
  [[nodiscard]] std::vector<BackendState> backends() const;

 private:
  // By cache key. The budget of a query is the deadline of the metric that started it.
  using Queries = SingleFlight<std::string, Answer>;
  using InFlightQuery = Queries::InFlightPtr;
  // One question of a read, by the name that the cache knows it under, and what serves it.
  struct Asked {
    std::string key;
    std::variant<Answer, InFlightQuery> answer;
  };

  [[nodiscard]] Result<const Metric*> find(const Query& query) const;
  [[nodiscard]] Error unknown(const Query& query) const;
  // The cached answer if it is still fresh, else the query in flight that will bring one (joined or
  // started).
  [[nodiscard]] Asked cached_or_in_flight(const Metric& metric,
                                          const Labels& parameters,
                                          const ReadOf& of);
  [[nodiscard]] Answer late_answer(Deadline due) const;
  [[nodiscard]] bool is_fresh(const Metric& metric, const Answer& answer) const;
  // Queries the backend and completes the query. `self` keeps the reader alive when a reload drops
  // it meanwhile.
  static awaitable<void> run_query(std::shared_ptr<Reader> self,
                                   const Metric* metric,
                                   std::string key,
                                   Labels parameters,
                                   InFlightQuery query);
  // Hands `answer` to the waiters of `query` and to later reads. `was_asked`: it is a response of
  // the backend, not an error of the wait before it.
  void complete_query(const Metric& metric,
                      const std::string& key,
                      Labels parameters,
                      Queries::InFlight& query,
                      Answer answer,
                      bool was_asked);
  void observe(const Metric& metric, const Answer& answer);
  // Starts a diagnosis of a failed query when one is due.
  void maybe_start_diagnosis(const Metric& metric,
                             const std::string& key,
                             Labels parameters,
                             const Answer& answer);
  // The diagnosis, in the background. `self` as in run_query().
  static awaitable<void> run_diagnosis(std::shared_ptr<Reader> self,
                                       const Metric* metric,
                                       std::string key,
                                       Labels parameters,
                                       Result<Sample> reply);
  // The scaler's diagnosis, whatever it throws.
  [[nodiscard]] awaitable<Diagnosis> diagnose(const Metric* metric,
                                              Labels parameters,
                                              Result<Sample> reply,
                                              Deadline deadline);
  // One question of an explanation, and the reply as the policies judge it.
  struct Explained {
    Explanation::Question question;
    Result<Sample> reply;
  };
  [[nodiscard]] awaitable<Explained> explain_question(const Metric* metric,
                                                      std::string name_space,
                                                      Labels labels,
                                                      Deadline deadline);
  // The same question with the diagnosis of its reply.
  [[nodiscard]] awaitable<Explained> with_diagnosis(const Metric* metric,
                                                    std::string name_space,
                                                    Explained explained,
                                                    Deadline deadline);
  [[nodiscard]] std::optional<Duration> time_since_recovery(const ConfiguredBackend& backend,
                                                            const Answer& answer) const;
  // What the HPA gets: by the policies, the fallback among them. Remembers a good answer for later.
  [[nodiscard]] Result<Reading> reading(const Metric& metric,
                                        Labels labels,
                                        const Answer& answer,
                                        const std::string& key,
                                        const std::string& name_space);
  // The same, and whether it is a fallback's; changes nothing. Appends to `steps` as apply() does.
  struct Judged {
    Result<Reading> reading;
    bool is_substitute;
  };
  [[nodiscard]] Judged judge(const Metric& metric,
                             Labels labels,
                             const Answer& answer,
                             const std::string& key,
                             PolicySteps* steps = nullptr);
  [[nodiscard]] std::string history_key(const Metric& metric, const std::string& key) const;
  void remember(const Metric& metric,
                const Answer& answer,
                const std::string& key,
                const std::string& name_space);
  // Valid until the next remember(); empty for a metric without a fallback.
  [[nodiscard]] History history_of(const Metric& metric, const std::string& key);
  [[nodiscard]] Duration jittered(Duration span);

  Loop& loop_;
  const Clock& clock_;
  ReadObserver& observer_;
  std::vector<std::unique_ptr<ConfiguredBackend>> backends_;
  std::vector<Metric> metrics_;
  std::multimap<std::string, const Metric*, std::less<>> by_name_;
  Cache cache_{kMaxKeptAnswers, kMaxKeptOfNamespace};
  // Of metrics with a fallback: the last good answer to a question, or else its first failure.
  Cache history_{kMaxKeptAnswers, kMaxKeptOfNamespace};
  Diagnoses diagnoses_;
  std::size_t explaining_ = 0;  // explanations under way
  Queries in_flight_;
  std::minstd_rand random_;
};

// The name of a question in the cache and beside it.
[[nodiscard]] std::string key_of(const Metric& metric, const Labels& parameters);
// Names the metric, its kind and its backend in front of an error, so that `kubectl describe hpa`
// says where to look.
[[nodiscard]] Error within_metric(const Metric& metric,
                                  std::string_view name_space,
                                  const Error& error);
// `error` with the cause that a diagnosis found at its end; unchanged without one.
[[nodiscard]] Error with_cause(Error error, std::string_view cause);
// A late answer says how long was waited and what can be done.
[[nodiscard]] Error with_budget(Error error, Duration budget);
// A bug in a scaler, or no memory: this question fails, the process and every other question go on.
[[nodiscard]] Error internal_error(const std::exception& bug);

}  // namespace weir::scalers::read
