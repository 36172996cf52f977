// The series of backends, copied from their states at each page, because the reader and the clients
// already count them.
#include "server/telemetry/backends.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace weir::server {
namespace {

using Reasons = scalers::ConnectionCounts::Reasons;

prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry,
                                              const char* name,
                                              const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry,
                                                  const char* name,
                                                  const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

// A reload may have reset the count: a counter that falls starts again from zero. A Counter of
// prometheus-cpp cannot be set to a smaller value, so it is replaced.
void raise_to(prometheus::Counter*& counter,
              prometheus::Family<prometheus::Counter>& family,
              const prometheus::Labels& labels,
              std::uint64_t count) {
  const auto wanted = static_cast<double>(count);
  if (counter != nullptr && wanted < counter->Value()) {
    family.Remove(counter);
    counter = nullptr;
  }
  if (counter == nullptr) counter = &family.Add(labels);
  counter->Increment(wanted - counter->Value());
}

// Without a value there is no series.
void show(prometheus::Gauge*& gauge,
          prometheus::Family<prometheus::Gauge>& family,
          const std::string& backend,
          std::optional<double> value) {
  if (gauge != nullptr && !value) {
    family.Remove(gauge);
    gauge = nullptr;
  }
  if (!value) return;
  if (gauge == nullptr) gauge = &family.Add({{"backend", backend}});
  gauge->Set(*value);
}

std::optional<double> seconds_of(const std::optional<WallTime>& time) {
  if (!time) return std::nullopt;
  return static_cast<double>(
      std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count());
}

// nullopt: unknown.
std::optional<bool> is_refused(const scalers::BackendState& state, SteadyTime now) {
  // A client remembers a refusal until its next query, which may never come. A login that fails
  // beside its last token has the time of its own attempt: reads, which still get values, start one
  // at least every 30 s.
  if (const auto& refused = state.connections.refused_credentials) {
    const auto& tried_at = refused->tried_at;
    const bool was_tried = tried_at && now - *tried_at < scalers::read::kFailureShown;
    if (was_tried || state.health->was_refused(now)) return true;
  }
  return state.health->is_up(now) ? std::optional(false) : std::nullopt;
}

template <class Counters>
void raise_all(Counters& counters,
               prometheus::Family<prometheus::Counter>& family,
               const std::string& backend,
               const Reasons& reasons) {
  // After a reload with another client only the reasons that this client has counted remain.
  std::erase_if(counters, [&](const auto& one) {
    const bool is_gone = !reasons.contains(one.first);
    if (is_gone) family.Remove(one.second);
    return is_gone;
  });
  for (const auto& [reason, count] : reasons)
    raise_to(counters[reason], family, {{"backend", backend}, {"reason", reason}}, count);
}

}  // namespace

BackendSeries::BackendSeries(prometheus::Registry& registry)
    : up_(gauges(
          registry,
          "weir_backend_up",
          "1 unless the last query failed because of the backend itself; no series before the "
          "first query and a minute after the last one.")),
      in_flight_(gauges(registry, "weir_backend_in_flight", "Queries in flight to the backend.")),
      waiting_(gauges(registry,
                      "weir_backend_queue",
                      "Queries that wait because maxInFlight others are in flight.")),
      breakers_(gauges(
          registry,
          "weir_breaker_open",
          "1 while the circuit breaker is open: recent failures are returned without connecting.")),
      refused_(gauges(registry,
                      "weir_backend_credentials_refused",
                      "1 while the server refuses the credentials of the files; a connection with "
                      "older ones may still be open. No series when no query of the last minute "
                      "shows it.")),
      token_ends_(gauges(registry,
                         "weir_backend_token_expiry_timestamp_seconds",
                         "Until when the last token or temporary keys of auth are used; they are "
                         "renewed at four fifths of their life by the reads that need them.")),
      unusable_(gauges(registry,
                       "weir_backend_files_unusable",
                       "1 while a credential, CA or key file of the backend is missing or not "
                       "valid; the log names the file.")),
      opened_(
          counters(registry,
                   "weir_connections_opened_total",
                   "Connections established, with TLS and login; backends with the same server and "
                   "credentials share them.")),
      closed_(
          counters(registry, "weir_connections_closed_total", "Connections closed, by reason.")),
      failed_(counters(registry,
                       "weir_connections_failed_total",
                       "Failed attempts to connect, by reason.")) {}

void BackendSeries::refresh(const std::vector<scalers::BackendState>& states, SteadyTime now) {
  // Without this the series of a removed backend would report its last state for good.
  std::erase_if(backends_, [&](const auto& one) {
    const bool is_kept =
        std::ranges::any_of(states, [&](const auto& state) { return state.name == one.first; });
    if (!is_kept) end(one.second);
    return !is_kept;
  });
  for (const scalers::BackendState& state : states) {
    // No system: metrics of skipped files alone have it.
    if (state.name.empty()) continue;
    auto known = backends_.find(state.name);
    if (known == backends_.end()) known = backends_.emplace(state.name, make(state.name)).first;
    Series& series = known->second;
    const scalers::ConnectionCounts& counts = state.connections;
    show(series.is_up, up_, state.name, state.health->is_up(now));
    show(series.is_refused, refused_, state.name, is_refused(state, now));
    show(series.token_end, token_ends_, state.name, seconds_of(counts.token_ends_at));
    series.in_flight->Set(static_cast<double>(state.in_flight));
    series.waiting->Set(static_cast<double>(state.waiting));
    series.is_breaker_open->Set(counts.is_breaker_open ? 1 : 0);
    series.is_unusable->Set(state.health->file_problem().empty() ? 0 : 1);
    raise_to(series.opened, opened_, {{"backend", state.name}}, counts.opened);
    raise_all(series.closed, closed_, state.name, counts.closed);
    raise_all(series.failed, failed_, state.name, counts.failed);
  }
}

BackendSeries::Series BackendSeries::make(const std::string& backend) {
  const prometheus::Labels labels{{"backend", backend}};
  // The counters by reason are created by their first event, what may be unknown by show().
  return {.in_flight = &in_flight_.Add(labels),
          .waiting = &waiting_.Add(labels),
          .is_breaker_open = &breakers_.Add(labels),
          .is_unusable = &unusable_.Add(labels),
          .opened = &opened_.Add(labels)};
}

void BackendSeries::end(const Series& series) {
  if (series.is_up != nullptr) up_.Remove(series.is_up);
  in_flight_.Remove(series.in_flight);
  waiting_.Remove(series.waiting);
  breakers_.Remove(series.is_breaker_open);
  if (series.is_refused != nullptr) refused_.Remove(series.is_refused);
  if (series.token_end != nullptr) token_ends_.Remove(series.token_end);
  unusable_.Remove(series.is_unusable);
  opened_.Remove(series.opened);
  for (const auto& [reason, counter] : series.closed) closed_.Remove(counter);
  for (const auto& [reason, counter] : series.failed) failed_.Remove(counter);
}

}  // namespace weir::server
