#include "server/telemetry_requests.hpp"

#include <algorithm>

namespace weir::server {
namespace {

constexpr std::string_view kAnyMetric = "externalmetrics";  // as discovery names them all

const prometheus::Histogram::BucketBoundaries& bucket_seconds() {
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
                     .Help("[STABLE] Seconds from a request's head to its answer; resource is "
                           "externalmetrics for all metrics.")
                     .Register(registry)),
      reading_(in_flight_family(registry).Add({{"request_kind", "readOnly"}})),
      mutating_(in_flight_family(registry).Add({{"request_kind", "mutating"}})),
      tls_failures_(prometheus::BuildCounter()
                        .Name("apiserver_tls_handshake_errors_total")
                        .Help("[ALPHA] Connections that ended within the TLS handshake.")
                        .Register(registry)
                        .Add({})),
      endpoints_(endpoint_count()),
      histograms_(endpoint_count()) {}

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
  if (metric != metrics_.end()) {
    count(metric->second, labels, metric->first, status);
  } else {
    count(endpoints_.at(static_cast<std::size_t>(labels.endpoint)), labels, "", status);
  }
  observe(labels, took.count());
}

void RequestCounts::count(Cells& cells,
                          const RequestLabels& labels,
                          std::string_view resource,
                          int status) {
  auto known = std::ranges::find_if(cells, [&](const Cell& cell) {
    return cell.verb == labels.verb && cell.status == status;
  });
  if (known == cells.end()) {
    auto named = label_set(labels, resource);
    named.emplace("code", std::to_string(status));
    known = cells.insert(cells.end(), {labels.verb, status, &totals_.Add(named)});
  }
  known->total->Increment();
}

// Metrics share a histogram: 26 lines for each of 1,000 would hold the loop up for 0.1 s.
void RequestCounts::observe(const RequestLabels& labels, double seconds) {
  const auto endpoint = static_cast<std::size_t>(labels.endpoint);
  prometheus::Histogram*& known =
      histograms_.at(endpoint).at(static_cast<std::size_t>(labels.verb));
  if (known == nullptr) {
    const std::string_view resource = labels.metric.empty() ? "" : kAnyMetric;
    known = &durations_.Add(label_set(labels, resource), bucket_seconds());
  }
  known->Observe(seconds);
}

void RequestCounts::end(const Cells& cells) {
  for (const Cell& cell : cells) totals_.Remove(cell.total);
}

}  // namespace weir::server
