// What the reader does about failures beside answering: it looks for their cause in the background,
// and says to the log when they begin and end. Apart from the read that failed, which does not
// wait.
#include "scalers/read/reader.hpp"
#include "scalers/read/reader_errors.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace weir::scalers::read {
namespace {

FailingRead failing_read(const Metric& metric,
                         const Parameters& parameters,
                         std::span<const LabelRequirement> filter) {
  FailingRead out{parameters.name_space, metric.name, {}, {filter.begin(), filter.end()}};
  out.labels = filter.empty() ? text_of(parameters.labels) : text_of(out.filter);
  return out;
}

}  // namespace

void Reader::maybe_start_diagnosis(const Metric& metric,
                                   const std::string& key,
                                   Parameters parameters,
                                   const Answer& answer,
                                   const Verdict& verdict) {
  if (answer.samples || verdict) return diagnoses_.forget(key);
  // A backend that settles shows nothing yet. Refused credentials are not sent once more, to no
  // other path either, before somebody asks for the explanation: a broker may lock the account.
  const Errc code = answer.samples.error().code;
  const bool is_due =
      verdict.error().code == code && code != Errc::refused &&
      metric.scaler->can_diagnose(answer.samples) &&
      diagnoses_.begin(metric.backend->name, key, parameters.name_space, code, clock_.steady());
  if (!is_due) return;
  boost::asio::co_spawn(
      loop_.get_executor(),
      run_diagnosis(shared_from_this(), &metric, key, std::move(parameters), answer.samples),
      rethrow);
}

awaitable<Diagnosis> Reader::diagnose(const Metric* metric,
                                      Parameters parameters,
                                      Result<Samples> reply,
                                      Deadline deadline) {
  Diagnosis out;
  try {
    // A bug in a scaler costs its diagnosis alone. run_diagnosis() has to reach end(), or the
    // backend would have no other diagnosis until a reload.
    out = co_await metric->scaler->diagnose(std::move(parameters), std::move(reply), deadline);
  } catch (const std::exception& bug) {
    out.findings.push_back(internal_error(bug.what()).message());
  }
  co_return out;
}

awaitable<void> Reader::run_diagnosis(std::shared_ptr<Reader> self,
                                      const Metric* metric,
                                      std::string key,
                                      Parameters parameters,
                                      Result<Samples> reply) {
  const Deadline due = Deadline::after(self->clock_.steady(), kDiagnosisBudget);
  // Always an error: maybe_start_diagnosis() starts nothing for a value.
  const Errc code = reply.error().code;
  Diagnosis diagnosis =
      co_await self->diagnose(metric, std::move(parameters), std::move(reply), due);
  const SteadyTime now = self->clock_.steady();
  self->diagnoses_.end(metric->backend->name, key, code, diagnosis.cause, now);
  for (const auto& failure :
       metric->backend->failing->take_diagnosed(key, code, !diagnosis.cause.empty(), now))
    self->observer_.metric_failing(metric->backend->name,
                                   failure.read,
                                   failure.error,
                                   diagnosis.cause);
}

void Reader::note_failure(const Metric& metric,
                          const PendingQuery& query,
                          std::span<const LabelRequirement> filter,
                          const Error& error,
                          std::string_view cause) {
  ConfiguredBackend& backend = *metric.backend;
  const auto* const due = backend.failing->note(failing_read(metric, query.parameters, filter),
                                                query.key,
                                                error,
                                                !cause.empty(),
                                                diagnoses_.is_running(backend.name, query.key),
                                                clock_.steady());
  if (due != nullptr) observer_.metric_failing(backend.name, due->read, error, cause);
}

void Reader::note_recoveries(const Metric& metric,
                             const std::string& key,
                             const Parameters& parameters,
                             const Answer& answer) {
  const SteadyTime now = clock_.steady();
  // By the metric as it is configured: a reload may have changed its policies.
  const auto is_value = [&](const FailingRead& read) {
    const auto id = find({read.name_space, read.metric, {}});
    return id && judge(this->metric(*id).policies, answer, read.filter).has_value();
  };
  const auto recovered =
      metric.backend->failing->take_recovered(key, failing_read(metric, parameters, {}), is_value);
  for (const auto& failure : recovered) {
    observer_.metric_recovered(metric.backend->name,
                               failure.read,
                               std::chrono::duration_cast<Duration>(now - failure.since));
  }
}

}  // namespace weir::scalers::read
