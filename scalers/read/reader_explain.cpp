// Reader::explain: the read path once more, slowly, with every step kept. It asks through the
// limiter like any read and keeps, joins and reports nothing.
#include "scalers/read/policy_effects.hpp"
#include "scalers/read/reader.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::scalers::read {
namespace {

constexpr std::size_t kMaxExplaining = 4;

// One explanation under way, as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
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
                      .is_down = backend.is_down,
                      .in_flight = backend.limiter->in_flight(),
                      .waiting = backend.limiter->waiting(),
                      .connections = {}},
          .questions = {}};
}

}  // namespace

awaitable<Result<Explanation>> Reader::explain(Query query, Deadline deadline) {
  const auto self = shared_from_this();
  const auto found = find(query);
  if (!found) co_return found.error();
  const Metric& metric = **found;
  const auto bound = bind_labels(metric.labels, query.labels);
  if (!bound) {
    co_return bound.error().within(fmt::format("metric {}/{}", query.name_space, metric.name));
  }
  if (explaining_ >= kMaxExplaining) {
    co_return Error{
        Errc::overloaded,
        fmt::format("{} explanations are under way; try again in a moment", explaining_),
        ""};
  }
  const Counted counted(explaining_);
  Explanation out = facts_of(metric, query.name_space);
  bool is_diagnosed = false;
  for (const Labels& labels : *bound) {
    auto one = co_await explain_question(&metric, query.name_space, labels, deadline);
    if (!is_diagnosed && metric.scaler->has_diagnosis_of(one.reply)) {
      is_diagnosed = true;
      one = co_await with_diagnosis(&metric, query.name_space, std::move(one), deadline);
    }
    out.questions.push_back(std::move(one.question));
  }
  out.backend.connections = metric.backend->backend->connections();
  co_return out;
}

awaitable<Reader::Explained> Reader::explain_question(const Metric* metric,
                                                      std::string name_space,
                                                      Labels labels,
                                                      Deadline deadline) {
  Labels parameters = labels;
  parameters.emplace(kNamespaceParameter, name_space);
  const SteadyTime begun = clock_.steady();
  const Deadline due{begun, std::min(begun + metric->deadline, deadline.at)};
  const WallTime asked_at = clock_.wall();
  std::string text = metric->scaler->shown_question(parameters);
  const std::string key = key_of(*metric, parameters);
  const auto permit = co_await metric->backend->limiter->acquire(name_space, due, begun);
  const SteadyTime acquired = clock_.steady();
  Result<Sample> sample = permit ? Result<Sample>(Sample{}) : permit.error();
  try {
    if (permit) sample = co_await metric->scaler->ask(std::move(parameters), due);
  } catch (const std::exception& bug) {
    sample = internal_error(bug);
  }
  const SteadyTime answered = clock_.steady();
  if (sample.has_error()) sample = with_budget(sample.error(), metric->deadline);
  sample = expire_if_stale(std::move(sample), answered - acquired);
  Answer answer{sample, acquired, asked_at, answered, metric->deadline};
  if (permit) answer.time_since_recovery = time_since_recovery(*metric->backend, answer);
  PolicySteps steps;
  auto result = judge(*metric, labels, answer, key, &steps).reading;
  if (!result) result = within_metric(*metric, name_space, result.error());
  Explanation::Question out{.labels = std::move(labels),
                            .text = std::move(text),
                            .value = {},
                            .failure = {},
                            .asked_at = asked_at,
                            .policies = effects_of(metric->policies, answer, steps),
                            .result = std::move(result),
                            .diagnosis = {},
                            .steps = {{"turn", acquired - begun}, {"ask", answered - acquired}}};
  if (sample) {
    out.value = sample->value;
  } else {
    out.failure = sample.error();
  }
  co_return Explained{std::move(out), std::move(sample)};
}

awaitable<Reader::Explained> Reader::with_diagnosis(const Metric* metric,
                                                    std::string name_space,
                                                    Explained explained,
                                                    Deadline deadline) {
  Explanation::Question& question = explained.question;
  Labels parameters = question.labels;
  parameters.emplace(kNamespaceParameter, name_space);
  const SteadyTime begun = clock_.steady();
  const Deadline due{begun, std::min(begun + kDiagnosisBudget, deadline.at)};
  question.diagnosis = co_await diagnose(metric, std::move(parameters), explained.reply, due);
  question.steps.push_back({"diagnose", clock_.steady() - begun});
  // As a read shows it once it was found in the background.
  const bool is_its_cause = question.result.has_error() && explained.reply.has_error() &&
                            question.result.error().code == explained.reply.error().code;
  if (is_its_cause)
    question.result = with_cause(question.result.error(), question.diagnosis->cause);
  co_return explained;
}

awaitable<Diagnosis> Reader::diagnose(const Metric* metric,
                                      Labels parameters,
                                      Result<Sample> reply,
                                      Deadline deadline) {
  Diagnosis out;
  try {
    out = co_await metric->scaler->diagnose(std::move(parameters), std::move(reply), deadline);
  } catch (const std::exception& bug) {
    out.findings.push_back(internal_error(bug).message());
  }
  co_return out;
}

awaitable<void> Reader::run_diagnosis(std::shared_ptr<Reader> self,
                                      const Metric* metric,
                                      std::string key,
                                      Labels parameters,
                                      Result<Sample> reply) {
  const Deadline due = Deadline::after(self->clock_.steady(), kDiagnosisBudget);
  const Errc code = reply.error().code;
  Diagnosis found = co_await self->diagnose(metric, std::move(parameters), std::move(reply), due);
  self->diagnoses_.end(metric->backend->name,
                       key,
                       code,
                       std::move(found.cause),
                       self->clock_.steady());
}

}  // namespace weir::scalers::read
