// Reader's diagnoses: the search for the cause of a failed query, in the background, apart from the
// read that failed, which does not wait for it.
#include "scalers/read/reader.hpp"
#include "scalers/read/reader_errors.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace weir::scalers::read {

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
  self->diagnoses_.end(metric->backend->name,
                       key,
                       code,
                       std::move(diagnosis.cause),
                       self->clock_.steady());
}

}  // namespace weir::scalers::read
