// Reader::explain: the read path once more, slowly, with every step recorded. It queries through
// the limiter like any read, and caches, joins and reports nothing.
#include "scalers/read/policies/effects.hpp"
#include "scalers/read/reader.hpp"
#include "scalers/read/reader_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace weir::scalers::read {
namespace {

// Of one namespace. An explanation passes the cache by, so a caller could use it to query a backend
// at will.
constexpr std::size_t kMaxExplaining = 2;

// Counts one explanation in progress, as long as it lives.
class Counted {
 public:
  Counted(std::map<std::string, std::size_t>& counts, std::string name_space)
      : counts_(counts), name_space_(std::move(name_space)) {
    ++counts_[name_space_];
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    const auto count = counts_.find(name_space_);
    if (--count->second == 0) counts_.erase(count);
  }

 private:
  std::map<std::string, std::size_t>& counts_;
  std::string name_space_;
};

Explanation facts_of(const Metric& metric, const std::string& name_space) {
  const ConfiguredBackend& backend = *metric.backend;
  return {.name_space = name_space,
          .metric = metric.name,
          .entry = metric.mark,
          .deadline = metric.deadline,
          .freshness = metric.freshness,
          .backend = {.name = backend.name,
                      .kind = std::string(backend.kind),
                      .is_down = backend.health->is_down(),
                      .in_flight = backend.limiter->in_flight(),
                      .waiting = backend.limiter->waiting(),
                      .connections = {},
                      .file_problem = backend.health->file_problem(),
                      .proxy = backend.backend->proxy()},
          .queries = {}};
}

// What the backend measured, for people.
Result<std::vector<Explanation::Measured>> measured(const Result<Samples>& samples) {
  if (!samples) return samples.error();
  std::vector<Explanation::Measured> out;
  for (const Sample& sample : *samples) out.push_back({sample.labels, sample.value});
  return out;
}

std::string notice_in(const Result<Samples>& samples) {
  // All samples are of one response, so that they have the same notice.
  const bool has_notice = samples && samples->front().notice != nullptr;
  return has_notice ? *samples->front().notice : std::string();
}

// The error of a read whose values an HPA could not add, in place of each of them.
void explain_sum(const Metric& metric, const std::string& name_space, Explanation& out) {
  std::vector<Reading> all;
  for (const auto& query : out.queries) {
    if (query.result) all.insert(all.end(), query.result->begin(), query.result->end());
  }
  const auto error = sum_error(all);
  if (!error) return;
  for (auto& query : out.queries) {
    if (query.result) query.result = within_metric(metric, name_space, *error);
  }
}

}  // namespace

awaitable<Result<Explanation>> Reader::explain(Query query, Deadline deadline) {
  const auto self = shared_from_this();
  const auto found = find(query);
  if (!found) co_return found.error();
  const MetricId id = *found;
  const Metric& of = metric(id);
  auto selection = select(of.selector_mode, of.labels, query.labels);
  if (!selection) {
    co_return selection.error().within(fmt::format("metric {}/{}", query.name_space, of.name));
  }
  // Last of the checks, because a refused selector costs the backend nothing.
  const auto in_progress = explaining_.find(query.name_space);
  if (in_progress != explaining_.end() && in_progress->second >= kMaxExplaining) {
    co_return Error{Errc::overloaded,
                    fmt::format("{} explanations are in progress for namespace {}; try again in a "
                                "moment",
                                in_progress->second,
                                query.name_space),
                    ""};
  }
  const Counted counted(explaining_, query.name_space);
  const auto place =
      co_await of.backend->explaining->acquire(query.name_space, deadline, clock_.steady());
  if (!place) {
    co_return Error{Errc::overloaded,
                    fmt::format("explanations of other namespaces are in progress for backend {}; "
                                "try again in a moment",
                                of.backend->name),
                    ""};
  }
  Explanation out = facts_of(of, query.name_space);
  bool is_diagnosed = false;
  for (Labels& labels : selection->bound) {
    // One after the other, so that an explanation has one permit at most.
    Parameters parameters{query.name_space, std::move(labels)};
    auto one = co_await explain_query(id, std::move(parameters), selection->filter, deadline);
    // One diagnosis for all values, because it may take kDiagnosisBudget of the common deadline.
    if (!is_diagnosed && of.scaler->can_diagnose(one.reply)) {
      is_diagnosed = true;
      one = co_await with_diagnosis(&of, query.name_space, std::move(one), deadline);
    }
    out.queries.push_back(std::move(one.query));
  }
  explain_sum(of, query.name_space, out);
  // At the end, so that a connection which this explanation opened is among them.
  out.backend.connections = of.backend->backend->connections();
  co_return out;
}

awaitable<Reader::ExplainedQuery> Reader::explain_query(MetricId id,
                                                        Parameters parameters,
                                                        std::vector<LabelRequirement> filter,
                                                        Deadline deadline) {
  const Metric& of = metric(id);
  const std::string name_space = parameters.name_space;
  Labels labels = parameters.labels;
  const SteadyTime begun = clock_.steady();
  // The metric's whole deadline for each query, as a read would have.
  const Deadline due{begun, std::min(begun + of.deadline, deadline.at)};
  const WallTime queried_at = clock_.wall();
  std::string text = of.scaler->describe_query(parameters);
  const std::string key = key_of(of, parameters);
  const auto permit = co_await of.backend->limiter->acquire(name_space, due, begun);
  const SteadyTime acquired = clock_.steady();
  Result<Samples> samples = permit ? Result<Samples>(Sample{}) : permit.error();
  try {
    if (permit) samples = co_await of.scaler->query(std::move(parameters), due);
  } catch (const std::exception& bug) {
    samples = internal_error(bug.what());
  }
  const SteadyTime ended = clock_.steady();
  if (samples.has_error()) samples = with_budget(samples.error(), of.deadline);
  samples = expire_if_stale(std::move(samples), ended - acquired);
  Answer answer{samples, acquired, queried_at, ended, of.deadline};
  // Without observe(): an explanation tells no read that the backend is back.
  if (permit) answer.time_since_recovery = time_since_recovery(*of.backend, answer);
  PolicySteps steps;
  // The history is read and not written, so that an explanation begins no fallback.
  auto outcome = with_fallback(id, judge(of.policies, answer, filter, &steps), key, filter, &steps);
  ExplainedQuery out{{.labels = std::move(labels),
                      .text = std::move(text),
                      .reply = measured(samples),
                      .notice = notice_in(samples),
                      .queried_at = queried_at,
                      .policies = effects_of(of.policies, answer, steps),
                      .result = std::vector<Reading>{},
                      .diagnosis = {},
                      .steps = {{"wait", acquired - begun}, {"query", ended - acquired}}},
                     std::move(samples)};
  if (outcome.verdict) {
    append_readings(*out.query.result, out.query.labels, std::move(*outcome.verdict));
  } else {
    out.query.result = within_metric(of, name_space, outcome.verdict.error());
  }
  co_return out;
}

awaitable<Reader::ExplainedQuery> Reader::with_diagnosis(const Metric* metric,
                                                         std::string name_space,
                                                         ExplainedQuery explained,
                                                         Deadline deadline) {
  Explanation::BackendQuery& query = explained.query;
  const SteadyTime begun = clock_.steady();
  const Deadline due{begun, std::min(begun + kDiagnosisBudget, deadline.at)};
  Parameters parameters{std::move(name_space), query.labels};
  query.diagnosis = co_await diagnose(metric, std::move(parameters), explained.reply, due);
  query.steps.push_back({"diagnose", clock_.steady() - begun});
  // As a read shows it once it was found in the background.
  const bool is_its_cause = query.result.has_error() && explained.reply.has_error() &&
                            query.result.error().code == explained.reply.error().code;
  if (is_its_cause) query.result = with_cause(query.result.error(), query.diagnosis->cause);
  co_return explained;
}

}  // namespace weir::scalers::read
