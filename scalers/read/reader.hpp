// The read path: finds the metric, binds the selector, answers from the cache, joins an identical
// read in flight, or asks the backend under its limits; then applies the metric's policies. Loop
// thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/read/cache.hpp"
#include "scalers/read/metric.hpp"
#include "scalers/reading.hpp"
#include "scalers/signal.hpp"
#include "scalers/world.hpp"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace weir::scalers::read {

// How long a failed question is not asked again: this long, give or take a fifth by chance.
inline constexpr Duration kKeepError{1000};
inline constexpr std::size_t kMaxKeptAnswers = 100'000;
inline constexpr std::size_t kMaxKeptOfNamespace = 10'000;

class Reader final : public Source, public std::enable_shared_from_this<Reader> {
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
  [[nodiscard]] std::vector<BackendState> backends() const;

 private:
  // One question under way. Shared by the coroutine that asks and those that wait for it.
  struct Flight {
    Flight(Loop& loop, Duration given) : done(loop), budget(given) {}
    Signal done;
    Duration budget;  // the deadline of the metric that started it
    std::optional<Answer> answer;
  };
  using FlightPtr = std::shared_ptr<Flight>;
  // One question of a read, by the name that the cache knows it under, and what serves it.
  struct Asked {
    std::string key;
    std::variant<Answer, FlightPtr> answer;
  };

  [[nodiscard]] Result<const Metric*> find(const Query& query) const;
  [[nodiscard]] Error unknown(const Query& query) const;
  // The kept answer if it may still be given, else the flight that will bring one (joined or
  // started).
  [[nodiscard]] Asked answer_or_flight(const Metric& metric,
                                       const Labels& parameters,
                                       const ReadOf& of);
  [[nodiscard]] Answer late_answer(Deadline due) const;
  [[nodiscard]] bool is_fresh(const Metric& metric, const Answer& answer) const;
  // Asks the backend and lands the answer. `self` keeps the reader alive when a reload drops it
  // meanwhile.
  static awaitable<void> fly(std::shared_ptr<Reader> self,
                             const Metric* metric,
                             std::string key,
                             Labels parameters,
                             FlightPtr flight);
  void observe(const Metric& metric, const Answer& answer);
  [[nodiscard]] std::optional<Duration> back_for(ConfiguredBackend& backend,
                                                 const Answer& answer) const;
  // What the HPA gets: by the policies, the fallback among them. Remembers a good answer for later.
  [[nodiscard]] Result<Reading> reading(const Metric& metric,
                                        Labels labels,
                                        const Answer& answer,
                                        const std::string& key,
                                        const std::string& name_space);
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
  std::unordered_map<std::string, FlightPtr> flights_;
  std::minstd_rand random_;
};

}  // namespace weir::scalers::read
