// The order of a read, and nothing else: what decides is in the files beside it, because a value
// that is wrong is found faster where one rule is alone.
#include "scalers/read/reader.hpp"

#include "scalers/read/reader_errors.hpp"
#include "scalers/text/dns_label.hpp"
#include "scalers/text/suggest.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace weir::scalers::read {
namespace {

// For how long an answer may be given: the data in it gets no older than the metric allows.
Duration usable_for(const Metric& metric, const Answer& answer) {
  Duration out = metric.freshness;
  if (answer.samples.has_error()) return out;
  for (const Sample& sample : *answer.samples) {
    if (sample.data_age) out = std::min(out, sample.data_age->limit - sample.data_age->age);
  }
  return out;
}

// An explanation passes the cache by, so it has few places: reads would wait for it otherwise.
std::shared_ptr<ConcurrencyLimiter> explanation_limiter(Loop& loop,
                                                        const ConcurrencyLimiter& of_reads) {
  constexpr std::size_t kMaxWaiting = 16;
  const std::size_t places = std::max<std::size_t>(1, of_reads.max_in_flight() / 4);
  return std::make_shared<ConcurrencyLimiter>(loop, places, kMaxWaiting);
}

}  // namespace

std::string key_of(const Metric& metric, const Parameters& parameters) {
  // A scaler's key is unique within its backend only.
  return metric.backend->name + '\n' + metric.scaler->cache_key(parameters);
}

void append_readings(std::vector<Reading>& out, Labels bound, std::vector<JudgedSample> values) {
  for (JudgedSample& value : values) {
    Reading& reading = out.emplace_back(Reading{{}, value.value, value.taken_at});
    if (&value == &values.back()) {
      reading.labels.swap(bound);  // so that a scalar copies nothing
    } else {
      reading.labels = bound;
    }
    // merge() keeps the bound label where the sample has one of the same name.
    if (!value.labels.empty()) reading.labels.merge(value.labels);
  }
}

bool Metric::serves(std::string_view name_space) const {
  return namespaces.front() == "*" || std::ranges::binary_search(namespaces, name_space);
}

Reader::Reader(Loop& loop,
               const Clock& clock,
               ReadObserver& observer,
               std::vector<std::unique_ptr<ConfiguredBackend>> backends,
               std::vector<Metric> metrics,
               std::shared_ptr<const MetricIndex> index,
               std::uint32_t seed)
    : loop_(loop),
      clock_(clock),
      observer_(observer),
      backends_(std::move(backends)),
      metrics_(std::move(metrics)),
      index_(std::move(index)),
      in_flight_(loop),
      random_(seed) {
  for (const auto& backend : backends_)
    backend->explaining = explanation_limiter(loop, *backend->limiter);
}

awaitable<Result<std::vector<Reading>>> Reader::read(Query query, Deadline deadline) {
  const auto self = shared_from_this();
  const auto found = find(query);
  if (!found) co_return found.error();
  const MetricId id = *found;
  auto selection = select(metric(id).selector_mode, metric(id).labels, query.labels);
  if (!selection) {
    co_return selection.error().within(
        fmt::format("metric {}/{}", query.name_space, metric(id).name));
  }
  const Deadline due = deadline.capped(metric(id).deadline);
  // All queries are started before the first answer is waited for.
  std::vector<PendingQuery> queries;
  queries.reserve(selection->bound.size());
  for (Labels& labels : selection->bound)
    queries.push_back(cached_or_in_flight(id, {query.name_space, std::move(labels)}));
  std::vector<Reading> readings;
  readings.reserve(queries.size());
  for (PendingQuery& one : queries) {
    // Waiting for one after the other takes no longer, because all are in flight already.
    if (one.answer == nullptr) {
      const bool is_done = co_await one.in_flight->wait(due, clock_.steady());
      // By the clock, too: after a pause of the process a result comes before the timer does.
      const bool is_late = due.is_past(clock_.steady());
      const auto& result = one.in_flight->value();
      one.answer =
          is_done && !is_late && result ? *result : answer_without_result(due, is_done && !is_late);
    }
    // One error is the result of the whole read: the HPA would take the sum of the others for the
    // sum of all.
    auto error = report(id, one, selection->filter, readings);
    if (error) co_return std::move(*error);
  }
  if (const auto error = sum_error(readings))
    co_return within_metric(metric(id), query.name_space, *error);
  const ReadOf of = read_of(id, query.name_space);
  // Only when all are values: a read that ends in an error reports none.
  for (const Reading& reading : readings) observer_.value_reported(of, reading);
  co_return readings;
}

AnswerPtr Reader::answer_without_result(Deadline due, bool is_abandoned) const {
  const auto budget = std::chrono::duration_cast<Duration>(due.at - due.started);
  const Error error =
      is_abandoned ? internal_error("the query ended without a result")
                   : with_budget({Errc::timed_out, "the query is still in flight", ""}, budget);
  // For this read alone, and not cached: the query may still end in an answer for others.
  return std::make_shared<const Answer>(
      Answer{error, clock_.steady(), clock_.wall(), clock_.steady(), budget});
}

std::vector<BackendState> Reader::backends() const {
  std::vector<BackendState> out;
  for (const auto& one : backends_) {
    out.push_back({one->name,
                   one->settings,
                   one->health,
                   one->limiter->in_flight(),
                   one->limiter->waiting(),
                   one->backend->connections(),
                   one->failing,
                   one->files,
                   one->backend->address(),
                   one->backend->proxy(),
                   one->backend->remarks()});
  }
  return out;
}

Result<MetricId> Reader::find(const Query& query) const {
  // At most one of a name serves a namespace: Builder::check_names() refuses others.
  for (auto id = index_->find(query.metric, query.id); id; id = index_->next(*id)) {
    const Metric& one = metric(*id);
    if (!one.serves(query.name_space)) continue;
    if (one.needs_dns_label && !is_dns_label(query.name_space))
      return not_a_namespace(one, query.name_space);
    return *id;
  }
  return unknown_metric(query);
}

Error Reader::unknown_metric(const Query& query) const {
  // Of this namespace alone, because a similar metric of another one could not be read.
  std::set<std::string_view> names;
  for (const Metric& one : metrics_) {
    if (one.serves(query.name_space)) names.insert(one.name);
  }
  const std::vector<std::string_view> sorted(names.begin(), names.end());
  const bool is_elsewhere = index_->find(query.metric).has_value();
  std::string detail =
      fmt::format("metric {}/{} is not configured", query.name_space, query.metric);
  if (is_elsewhere) detail += " for this namespace; add the namespace to its namespaces list";
  const std::string near = did_you_mean(query.metric, sorted);
  if (near.empty() && !is_elsewhere) detail += listed_metrics(sorted);
  return {Errc::unknown_metric, detail + near, ""};
}

ReadOf Reader::read_of(MetricId id, std::string_view name_space) const {
  const Metric& of = metric(id);
  return {id, index_.get(), of.backend->name, of.name, name_space};
}

Reader::PendingQuery Reader::cached_or_in_flight(MetricId id, Parameters parameters) {
  const Metric& of = metric(id);
  std::string key = key_of(of, parameters);
  AnswerPtr cached = cache_.find(key);
  if (cached != nullptr && is_fresh(of, *cached)) {
    observer_.answer_reused(read_of(id, parameters.name_space), Reuse::cached);
    return {std::move(parameters), std::move(key), std::move(cached)};
  }
  const SteadyTime now = clock_.steady();
  // A metric with a long deadline does not join a query that gives up sooner than it would, and one
  // with a short freshness none whose answer may be older than it accepts.
  const auto may_join = [&](const Queries::InFlight& query) {
    return query.budget >= of.deadline &&
           now - query.started <= std::max(of.freshness, of.deadline);
  };
  auto [query, is_started] = in_flight_.join_or_start(key, now, of.deadline, may_join);
  if (is_started) {
    Queries::Run run(query);
    boost::asio::co_spawn(loop_.get_executor(),
                          run_query(shared_from_this(), id, key, parameters, std::move(run)),
                          rethrow);
  } else {
    observer_.answer_reused(read_of(id, parameters.name_space), Reuse::shared);
  }
  return {std::move(parameters), std::move(key), nullptr, std::move(query)};
}

bool Reader::is_fresh(const Metric& metric, const Answer& answer) const {
  const SteadyTime now = clock_.steady();
  // From the start of the query, because the number may be that old.
  if (is_conclusive(metric.policies, answer)) return now - answer.at < usable_for(metric, answer);
  // Another metric's shorter deadline says nothing about this one.
  const bool was_shorter = answer.samples.has_error() &&
                           answer.samples.error().code == Errc::timed_out &&
                           answer.budget < metric.deadline;
  return !was_shorter && now < answer.retry_at;
}

awaitable<void> Reader::run_query(std::shared_ptr<Reader> self,
                                  MetricId id,
                                  std::string key,
                                  Parameters parameters,
                                  Queries::Run run) {
  const Metric& of = self->metric(id);
  // Not that of the read which started it, because other reads may join.
  const Deadline deadline = Deadline::after(self->clock_.steady(), of.deadline);
  // Without a coroutine as long as a place is free.
  auto permit = of.backend->limiter->try_acquire(parameters.name_space);
  Result<Samples> samples{Sample{}};
  if (!permit) {
    auto acquired = co_await of.backend->limiter->acquire(parameters.name_space,
                                                          deadline,
                                                          self->clock_.steady());
    if (acquired) permit.emplace(std::move(*acquired));
    if (!permit) samples = acquired.error();
  }
  // After the wait for the permit, which is neither age of the data nor time of the backend.
  const SteadyTime at = self->clock_.steady();
  const WallTime queried_at = self->clock_.wall();
  try {
    if (permit) samples = co_await of.scaler->query(parameters, deadline);
  } catch (const std::exception& bug) {
    samples = internal_error(bug.what());
  }
  self->complete_query(id,
                       key,
                       std::move(parameters),
                       run,
                       {std::move(samples), at, queried_at, {}, of.deadline},
                       permit.has_value());
}

// The order matters. The answer gets its last form first, because the cache and the waiters share
// it. The time since recovery is read before observe(), which ends the outage. The answer is cached
// and its diagnosis noted before the waiters wake, because they and later reads look there.
void Reader::complete_query(MetricId id,
                            const std::string& key,
                            Parameters parameters,
                            const Queries::Run& run,
                            Answer answer,
                            bool was_sent) {
  const Metric& of = metric(id);
  Result<Samples>& samples = answer.samples;
  if (samples.has_error()) samples = with_budget(samples.error(), of.deadline);
  const SteadyTime now = clock_.steady();
  samples = expire_if_stale(std::move(samples), now - answer.at);
  // So that queries which failed together are not all repeated at the same instant.
  answer.retry_at = now + jittered(kKeepError);
  if (was_sent) answer.time_since_recovery = time_since_recovery(*of.backend, answer);
  const auto complete = std::make_shared<const Answer>(std::move(answer));
  // Each read filters for itself, so the samples of such a metric are a success as they are.
  const bool is_filtered = of.selector_mode == SelectorMode::filter && complete->samples;
  const Verdict verdict =
      is_filtered ? Verdict(std::vector<JudgedSample>{}) : judge(of.policies, *complete);
  observer_.query_done(read_of(id, parameters.name_space),
                       verdict ? std::nullopt : std::optional(verdict.error().code),
                       now - complete->at);
  if (was_sent) {
    observe(*of.backend, *complete);
    if (!of.backend->failing->is_empty()) note_recoveries(of, key, parameters, *complete);
    cache_.put(key, parameters.name_space, complete);
    maybe_start_diagnosis(of, key, std::move(parameters), *complete, verdict);
  }  // else no query was sent: that says nothing about the backend, and the next read may find room
  run.complete(complete);
}

void Reader::observe(ConfiguredBackend& backend, const Answer& answer) {
  switch (backend.health->observe(answer, clock_.steady())) {
    case BackendHealth::Change::none: return;
    case BackendHealth::Change::up:
      return observer_.backend_up(backend.name, backend.health->last_downtime());
    case BackendHealth::Change::down:
      return observer_.backend_down(backend.name,
                                    backend.backend->address(),
                                    answer.samples.error());
  }
}

std::optional<Duration> Reader::time_since_recovery(const ConfiguredBackend& backend,
                                                    const Answer& answer) const {
  return backend.health->time_since_recovery(answer,
                                             backend.backend->connections().recovered_at,
                                             clock_.steady());
}

Reader::Outcome Reader::with_fallback(MetricId id,
                                      Verdict verdict,
                                      const std::string& key,
                                      std::span<const LabelRequirement> filter,
                                      PolicySteps* steps) {
  const Policies& policies = metric(id).policies;
  if (verdict || !policies.fallback) return {std::move(verdict), false};
  auto substitute = fall_back(policies,
                              verdict.error(),
                              history_.find(history_key(id, key, filter)),
                              clock_.steady(),
                              clock_.wall(),
                              filter,
                              steps);
  if (!substitute) return {std::move(verdict), false};
  return {std::move(substitute->values), true};
}

std::optional<Error> Reader::report(MetricId id,
                                    PendingQuery& query,
                                    std::span<const LabelRequirement> filter,
                                    std::vector<Reading>& readings) {
  const Metric& of = metric(id);
  const std::string& name_space = query.parameters.name_space;
  Verdict verdict = judge(of.policies, *query.answer, filter);
  // Before with_fallback(), which needs the time of the first failure.
  if (of.policies.fallback)
    history_.note(history_key(id, query.key, filter),
                  name_space,
                  query.answer,
                  verdict.has_value());
  // Found by an earlier failure; this read does not wait for one.
  std::string_view cause;
  if (!verdict) {
    cause = diagnoses_.cause(query.key, verdict.error().code, clock_.steady());
    // Also when the fallback replaces the error: it hides the failure from the HPA alone.
    note_failure(of, query, filter, verdict.error(), cause);
  }
  Outcome outcome = with_fallback(id, std::move(verdict), query.key, filter);
  if (!outcome.verdict)
    return within_metric(of, name_space, with_cause(outcome.verdict.error(), cause));
  const ReadOf read = read_of(id, name_space);
  // A held number counts as a fallback, not as the changes that its own read has counted.
  if (outcome.is_fallback) {
    observer_.fallback_used(read);
  } else {
    for (const JudgedSample& value : *outcome.verdict) {
      for (std::size_t policy = 0; value.changes.any() && policy < kPolicies; ++policy) {
        if (value.changes[policy])
          observer_.value_changed(read, name_of(static_cast<Policy>(policy)));
      }
    }
  }
  append_readings(readings, std::move(query.parameters.labels), std::move(*outcome.verdict));
  return std::nullopt;
}

// Two metrics may send the same query and judge its answers differently, and so may two selectors
// that filter them.
std::string Reader::history_key(MetricId id,
                                const std::string& key,
                                std::span<const LabelRequirement> filter) {
  std::string out = fmt::format("{}\n{}", static_cast<std::uint32_t>(id), key);
  for (const LabelRequirement& one : filter)
    out += fmt::format("\n{} {} {}", one.key, static_cast<int>(one.op), fmt::join(one.values, ","));
  return out;
}

Duration Reader::jittered(Duration span) {
  std::uniform_real_distribution<double> share(0.8, 1.2);
  return Duration{static_cast<Duration::rep>(static_cast<double>(span.count()) * share(random_))};
}

}  // namespace weir::scalers::read
