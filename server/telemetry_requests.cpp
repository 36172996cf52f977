#include "server/telemetry_requests.hpp"

#include <algorithm>

namespace weir::server {
namespace {

const prometheus::Histogram::BucketBoundaries& seconds() {
  static const prometheus::Histogram::BucketBoundaries kSeconds{
      0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1,  1.25, 1.5, 2,
      3,     4,     5,    6,   8,   10,  15,  20,  30, 45,   60};
  return kSeconds;
}

prometheus::Family<prometheus::Gauge>& in_flight_family(prometheus::Registry& registry) {
  return prometheus::BuildGauge()
      .Name("apiserver_current_inflight_requests")
      .Help("[STABLE] Number of requests under way, by request kind.")
      .Register(registry);
}

prometheus::Labels label_set(const RequestLabels& labels, std::string_view resource) {
  const EndpointLabels& endpoint = labels_of(labels.endpoint);
  return {{"verb", std::string(name_of(labels.verb))},
          {"dry_run", ""},
          {"group", std::string(endpoint.group)},
          {"version", std::string(endpoint.version)},
          {"resource", std::string(resource)},
          {"subresource", std::string(endpoint.subresource)},
          {"scope", std::string(endpoint.scope)},
          {"component", "apiserver"}};
}

}  // namespace

RequestCounts::RequestCounts(prometheus::Registry& registry)
    : totals_(prometheus::BuildCounter()
                  .Name("apiserver_request_total")
                  .Help("[STABLE] Requests answered, by verb, group, version, resource, scope and "
                        "HTTP code. resource is a configured metric or empty.")
                  .Register(registry)),
      durations_(prometheus::BuildHistogram()
                     .Name("apiserver_request_duration_seconds")
                     .Help("[STABLE] Seconds from a request's head to its answer.")
                     .Register(registry)),
      reading_(in_flight_family(registry).Add({{"request_kind", "readOnly"}})),
      mutating_(in_flight_family(registry).Add({{"request_kind", "mutating"}})),
      tls_failures_(prometheus::BuildCounter()
                        .Name("apiserver_tls_handshake_errors_total")
                        .Help("[ALPHA] Connections that ended within the TLS handshake.")
                        .Register(registry)
                        .Add({})),
      endpoints_(endpoint_count()) {}

void RequestCounts::set_metrics(const std::set<std::string>& names) {
  std::erase_if(metrics_, [&](const auto& entry) {
    if (names.contains(entry.first)) return false;
    end(entry.second);
    return true;
  });
  for (const std::string& name : names) metrics_.try_emplace(name);
}

prometheus::Gauge& RequestCounts::in_flight(Verb verb) {
  return is_mutating(verb) ? mutating_ : reading_;
}

void RequestCounts::done(const RequestLabels& labels,
                         int status,
                         std::chrono::duration<double> took) {
  const auto metric = metrics_.find(labels.metric);
  const bool is_known = metric != metrics_.end();
  Cells& cells =
      is_known ? metric->second : endpoints_.at(static_cast<std::size_t>(labels.endpoint));
  Cell& cell = cells.at(static_cast<std::size_t>(labels.verb));
  const auto known = std::ranges::find(cell.by_code, status, [](const auto& e) { return e.first; });
  if (known != cell.by_code.end()) {
    known->second->Increment();
  } else {
    const auto named = label_set(labels, is_known ? std::string_view(metric->first) : "");
    counter(cell, named, status).Increment();
  }
  cell.durations->Observe(took.count());
}

prometheus::Counter& RequestCounts::counter(Cell& cell,
                                            const prometheus::Labels& labels,
                                            int status) {
  if (cell.durations == nullptr) cell.durations = &durations_.Add(labels, seconds());
  auto with_code = labels;
  with_code.emplace("code", std::to_string(status));
  prometheus::Counter& made = totals_.Add(with_code);
  cell.by_code.emplace_back(status, &made);
  return made;
}

void RequestCounts::end(const Cells& cells) {
  for (const Cell& cell : cells) {
    if (cell.durations != nullptr) durations_.Remove(cell.durations);
    for (const auto& [code, counter] : cell.by_code) totals_.Remove(counter);
  }
}

}  // namespace weir::server
