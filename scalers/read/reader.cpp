#include "scalers/read/reader.hpp"

#include "scalers/text/redact.hpp"
#include "scalers/text/suggest.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <set>
#include <span>
#include <utility>

namespace weir::scalers::read {
namespace {

// What a namespace may ask for, when nothing is near to what it asked.
std::string advice_of(std::span<const std::string_view> names) {
  constexpr std::size_t kMaxListed = 8;
  if (names.empty()) return "; nothing is configured for this namespace";
  const auto shown = names.first(std::min(names.size(), kMaxListed));
  return fmt::format("; this namespace has {}{}",
                     fmt::join(shown, ", "),
                     names.size() > kMaxListed ? ", ..." : "");
}

ReadOf read_of(const Metric& metric, std::string_view name_space) {
  return {metric.backend->name, metric.name, name_space};
}

// For how long an answer may be given: the data behind it gets no older than the metric allows.
Duration usable_for(const Metric& metric, const Answer& answer) {
  if (answer.sample.has_error() || !answer.sample->data_age) return metric.freshness;
  const DataAge& data = *answer.sample->data_age;
  return std::min(metric.freshness, data.limit - data.age);
}

bool is_backend_failure(Errc code) {
  return code == Errc::unreachable || code == Errc::tls || code == Errc::refused ||
         code == Errc::timed_out;
}

bool is_as_measured(const Answer& answer, double value) {
  return answer.sample.has_value() && !answer.sample->is_missing && answer.sample->value == value;
}

WallTime taken_at(const Answer& answer) {
  return answer.sample ? answer.sample->taken_at : answer.asked_at;
}

// The backend itself gave it, whatever it says.
bool is_backend_response(const Answer& answer) {
  return !answer.sample.has_error() || !is_backend_failure(answer.sample.error().code);
}

}  // namespace

std::string key_of(const Metric& metric, const Labels& parameters) {
  return metric.backend->name + '\n' + metric.scaler->question(parameters);
}

Error within_metric(const Metric& metric, std::string_view name_space, const Error& error) {
  return error.within(fmt::format("metric {}/{}: {} {}",
                                  name_space,
                                  metric.name,
                                  metric.backend->kind,
                                  metric.backend->name));
}

Error with_cause(Error error, std::string_view cause) {
  if (cause.empty()) return error;
  return {error.code, fmt::format("{}; diagnosis: {}", error.message(), cause), ""};
}

Error with_budget(Error error, Duration budget) {
  if (error.code != Errc::timed_out) return error;
  error.detail =
      fmt::format("no answer within {} ms ({}); raise deadline, at most 30s, or ask for less",
                  budget.count(),
                  error.detail);
  return error;
}

Error internal_error(const std::exception& bug) {
  return {Errc::bad_reply, "an internal error; please report it", remote_text(bug.what(), {})};
}

bool Metric::serves(std::string_view name_space) const {
  return namespaces.front() == "*" || std::ranges::binary_search(namespaces, name_space);
}

Reader::Reader(Loop& loop,
               const Clock& clock,
               ReadObserver& observer,
               std::vector<std::unique_ptr<ConfiguredBackend>> backends,
               std::vector<Metric> metrics,
               std::uint32_t seed)
    : loop_(loop),
      clock_(clock),
      observer_(observer),
      backends_(std::move(backends)),
      metrics_(std::move(metrics)),
      in_flight_(loop),
      random_(seed) {
  for (const Metric& metric : metrics_) by_name_.emplace(metric.name, &metric);
}

awaitable<Result<std::vector<Reading>>> Reader::read(Query query, Deadline deadline) {
  const auto self = shared_from_this();
  const auto found = find(query);
  if (!found) co_return found.error();
  const Metric& metric = **found;
  auto bound = bind_labels(metric.labels, query.labels);
  if (!bound) {
    co_return bound.error().within(fmt::format("metric {}/{}", query.name_space, metric.name));
  }
  const Deadline due = deadline.capped(metric.deadline);
  // All questions are put before the first answer is waited for.
  std::vector<Asked> asked;
  for (Labels& labels : *bound) {
    // A parameter of the question, but no label of the reading; no declared one is called so.
    const auto added = labels.emplace(kNamespaceParameter, query.name_space).first;
    asked.push_back(cached_or_in_flight(metric, labels, read_of(metric, query.name_space)));
    labels.erase(added);
  }
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (const auto* in_flight = std::get_if<InFlightQuery>(&asked[i].answer)) {
      const InFlightQuery joined = *in_flight;
      const bool is_done = co_await joined->wait(due, clock_.steady());
      asked[i].answer = is_done && joined->value() ? *joined->value() : late_answer(due);
    }
    const Answer& answer = std::get<Answer>(asked[i].answer);
    auto one = reading(metric, std::move((*bound)[i]), answer, asked[i].key, query.name_space);
    if (!one) {
      const auto cause = diagnoses_.cause(asked[i].key, one.error().code, clock_.steady());
      co_return within_metric(metric, query.name_space, with_cause(one.error(), cause));
    }
    if (metric.labels.empty()) observer_.value_given(read_of(metric, query.name_space), *one);
    readings.push_back(std::move(*one));
  }
  co_return readings;
}

// What a question comes to for whoever cannot wait for it any longer.
Answer Reader::late_answer(Deadline due) const {
  const auto budget = std::chrono::duration_cast<Duration>(due.at - due.started);
  return {with_budget({Errc::timed_out, "it is still being asked", ""}, budget),
          clock_.steady(),
          clock_.wall(),
          clock_.steady(),
          budget};
}

std::vector<BackendState> Reader::backends() const {
  std::vector<BackendState> out;
  for (const auto& one : backends_) {
    out.push_back({one->name,
                   one->is_down,
                   one->limiter->in_flight(),
                   one->limiter->waiting(),
                   one->backend->connections(),
                   one->is_unreachable,
                   one->recovered_at});
  }
  return out;
}

Result<const Metric*> Reader::find(const Query& query) const {
  const auto [first, last] = by_name_.equal_range(query.metric);
  const auto found = std::find_if(first, last, [&](const auto& one) {
    return one.second->serves(query.name_space);
  });
  if (found == last) return unknown(query);
  return found->second;
}

Error Reader::unknown(const Query& query) const {
  std::set<std::string_view> names;
  bool is_elsewhere = false;
  for (const Metric& metric : metrics_) {
    if (metric.serves(query.name_space)) names.insert(metric.name);
    is_elsewhere = is_elsewhere || metric.name == query.metric;
  }
  const std::vector<std::string_view> sorted(names.begin(), names.end());
  std::string detail =
      fmt::format("metric {}/{} is not configured", query.name_space, query.metric);
  if (is_elsewhere) detail += " for this namespace; add the namespace to its namespaces list";
  const std::string near = did_you_mean(query.metric, sorted);
  if (near.empty() && !is_elsewhere) detail += advice_of(sorted);
  return {Errc::unknown_metric, detail + near, ""};
}

Reader::Asked Reader::cached_or_in_flight(const Metric& metric,
                                          const Labels& parameters,
                                          const ReadOf& of) {
  const std::string key = key_of(metric, parameters);
  const Answer* kept = cache_.find(key);
  if (kept != nullptr && is_fresh(metric, *kept)) {
    observer_.answer_reused(of, Reuse::cached);
    return {key, *kept};
  }
  const SteadyTime now = clock_.steady();
  // A patient metric does not join a query that gives up sooner than it would, and a hasty one
  // none whose answer may be older than it takes.
  const auto may_join = [&](const Queries::InFlight& query) {
    return query.budget >= metric.deadline &&
           now - query.started <= std::max(metric.freshness, metric.deadline);
  };
  auto [query, is_started] = in_flight_.join_or_start(key, now, metric.deadline, may_join);
  if (is_started) {
    boost::asio::co_spawn(loop_.get_executor(),
                          run_query(shared_from_this(), &metric, key, parameters, query),
                          rethrow);
  } else {
    observer_.answer_reused(of, Reuse::shared);
  }
  return {key, std::move(query)};
}

bool Reader::is_fresh(const Metric& metric, const Answer& answer) const {
  const SteadyTime now = clock_.steady();
  if (is_answer(metric.policies, answer)) return now - answer.at < usable_for(metric, answer);
  const bool was_hasty = answer.sample.has_error() &&
                         answer.sample.error().code == Errc::timed_out &&
                         answer.budget < metric.deadline;
  return !was_hasty && now < answer.retry_at;
}

awaitable<void> Reader::run_query(std::shared_ptr<Reader> self,
                                  const Metric* metric,
                                  std::string key,
                                  Labels parameters,
                                  InFlightQuery query) {
  const Queries::Run run(query);
  const Deadline deadline = Deadline::after(self->clock_.steady(), metric->deadline);
  const std::string& name_space = parameters.find(std::string(kNamespaceParameter))->second;
  auto permit = metric->backend->limiter->try_acquire(name_space);
  Result<Sample> sample{Sample{}};
  if (!permit) {
    auto acquired =
        co_await metric->backend->limiter->acquire(name_space, deadline, self->clock_.steady());
    if (acquired) permit.emplace(std::move(*acquired));
    if (!permit) sample = acquired.error();
  }
  const SteadyTime at = self->clock_.steady();
  const WallTime asked_at = self->clock_.wall();
  try {
    if (permit) sample = co_await metric->scaler->ask(parameters, deadline);
  } catch (const std::exception& bug) {
    sample = internal_error(bug);
  }
  self->complete_query(*metric,
                       key,
                       std::move(parameters),
                       *query,
                       {std::move(sample), at, asked_at, {}, metric->deadline},
                       permit.has_value());
}

// The order matters. The answer gets its last form first, because the cache and the waiters get the
// same one. The time since recovery is read before observe(), which ends the outage. The answer is
// cached and its diagnosis noted before the waiters wake: they and later reads look there.
void Reader::complete_query(const Metric& metric,
                            const std::string& key,
                            Labels parameters,
                            Queries::InFlight& query,
                            Answer answer,
                            bool was_asked) {
  const std::string name_space = parameters.find(std::string(kNamespaceParameter))->second;
  Result<Sample>& sample = answer.sample;
  if (sample.has_error()) sample = with_budget(sample.error(), metric.deadline);
  sample = expire_if_stale(std::move(sample), clock_.steady() - answer.at);
  answer.retry_at = clock_.steady() + jittered(kKeepError);
  if (was_asked) answer.time_since_recovery = time_since_recovery(*metric.backend, answer);
  const auto outcome = apply(metric.policies, answer);
  observer_.question_done(read_of(metric, name_space),
                          outcome ? std::nullopt : std::optional<Errc>(outcome.error().code),
                          clock_.steady() - answer.at);
  if (was_asked) {
    observe(metric, answer);
    cache_.put(key, name_space, answer);
    maybe_start_diagnosis(metric, key, std::move(parameters), answer);
  }  // else nobody was asked: that says nothing about the backend, and the next read may find room
  query.complete(std::move(answer));
}

void Reader::observe(const Metric& metric, const Answer& answer) {
  ConfiguredBackend& backend = *metric.backend;
  if (is_backend_response(answer)) {
    backend.last_response_at = clock_.steady();
    if (std::exchange(backend.is_unreachable, false)) backend.recovered_at = clock_.steady();
    if (std::exchange(backend.is_down, false)) observer_.backend_up(backend.name);
    return;
  }
  // One slow question beside others that are answered is no backend that is down.
  const Errc code = answer.sample.error().code;
  if (code == Errc::timed_out && backend.last_response_at >= answer.at) return;
  // Refused credentials show neither that it went away nor that it is back.
  if (code != Errc::refused) backend.is_unreachable = true;
  if (std::exchange(backend.is_down, true)) return;
  observer_.backend_down(backend.name, answer.sample.error());
}

// From the recovery of the backend to `answer`. An outage is the loss of a kept connection, or,
// where connections come and go, queries that could not reach the backend or got no response.
std::optional<Duration> Reader::time_since_recovery(const ConfiguredBackend& backend,
                                                    const Answer& answer) const {
  const SteadyTime now = clock_.steady();
  const bool is_just_back = backend.is_unreachable && is_backend_response(answer);
  const auto recovered_at = std::max(is_just_back ? std::optional(now) : backend.recovered_at,
                                     backend.backend->connections().recovered_at);
  if (!recovered_at) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::max(now, *recovered_at) - *recovered_at);
}

void Reader::maybe_start_diagnosis(const Metric& metric,
                                   const std::string& key,
                                   Labels parameters,
                                   const Answer& answer) {
  const auto value = apply(metric.policies, answer);
  if (answer.sample || value) return diagnoses_.forget(key);
  // A backend that settles says nothing yet. A refused login is not shown once more, to no other
  // path either, before somebody asks for the explanation: a broker may lock the account.
  const Errc code = answer.sample.error().code;
  const bool is_due = value.error().code == code && code != Errc::refused &&
                      metric.scaler->has_diagnosis_of(answer.sample) &&
                      diagnoses_.begin(metric.backend->name,
                                       key,
                                       parameters.at(std::string(kNamespaceParameter)),
                                       clock_.steady());
  if (!is_due) return;
  boost::asio::co_spawn(
      loop_.get_executor(),
      run_diagnosis(shared_from_this(), &metric, key, std::move(parameters), answer.sample),
      rethrow);
}

Result<Reading> Reader::reading(const Metric& metric,
                                Labels labels,
                                const Answer& answer,
                                const std::string& key,
                                const std::string& name_space) {
  if (metric.policies.fallback) remember(metric, answer, key, name_space);
  Judged judged = judge(metric, std::move(labels), answer, key);
  const ReadOf of = read_of(metric, name_space);
  if (judged.is_substitute) {
    observer_.fallback_given(of);
  } else if (judged.reading && !is_as_measured(answer, judged.reading->value)) {
    for (const std::string_view policy : changes(metric.policies, answer))
      observer_.value_changed(of, policy);
  }
  return std::move(judged.reading);
}

Reader::Judged Reader::judge(const Metric& metric,
                             Labels labels,
                             const Answer& answer,
                             const std::string& key,
                             PolicySteps* steps) {
  const auto value = apply(metric.policies, answer, steps);
  if (value) return {Reading{std::move(labels), *value, taken_at(answer)}, false};
  const History history = history_of(metric, key);
  const auto instead = fall_back(metric.policies, value.error(), history, clock_.steady(), steps);
  if (!instead) return {value.error(), false};
  const WallTime at = instead->is_held ? taken_at(*history.last_good) : clock_.wall();
  return {Reading{std::move(labels), instead->value, at}, true};
}

// Two metrics may ask the same and call different answers good.
std::string Reader::history_key(const Metric& metric, const std::string& key) const {
  return fmt::format("{}\n{}", &metric - metrics_.data(), key);
}

void Reader::remember(const Metric& metric,
                      const Answer& answer,
                      const std::string& key,
                      const std::string& name_space) {
  const std::string place = history_key(metric, key);
  const Answer* kept = history_.find(place);
  const bool is_good = apply(metric.policies, answer).has_value();
  const bool is_newer = is_good && (kept == nullptr || kept->at < answer.at ||
                                    apply(metric.policies, *kept).has_error());
  if (kept == nullptr || is_newer) history_.put(place, name_space, answer);
}

History Reader::history_of(const Metric& metric, const std::string& key) {
  const Answer* kept = metric.policies.fallback ? history_.find(history_key(metric, key)) : nullptr;
  if (kept == nullptr) return {};
  if (apply(metric.policies, *kept).has_value()) return {kept, std::nullopt};
  return {nullptr, kept->at};
}

Duration Reader::jittered(Duration span) {
  std::uniform_real_distribution<double> share(0.8, 1.2);
  return Duration{static_cast<Duration::rep>(static_cast<double>(span.count()) * share(random_))};
}

}  // namespace weir::scalers::read
