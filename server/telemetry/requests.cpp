// The store of apiserver_request_total, apart from prometheus-cpp's, because there is a series
// for each metric.
#include "server/telemetry/requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::server {
namespace {

constexpr std::string_view kAnyMetric = "*";  // RBAC's word for all resources of a group
constexpr SeriesFamily kTotals{"apiserver_request_total",
                               "[STABLE] Requests answered, by verb, group, version, resource, "
                               "scope and HTTP code. resource is "
                               "a configured metric or empty.",
                               "counter"};

// The buckets of the kube-apiserver's histogram of this name, so that rules and dashboards for it
// can be used for Weir too.
const prometheus::Histogram::BucketBoundaries& bucket_seconds() {
  static const prometheus::Histogram::BucketBoundaries kSeconds{
      0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1,  1.25, 1.5, 2,
      3,     4,     5,    6,   8,   10,  15,  20,  30, 45,   60};
  return kSeconds;
}

// Called twice: the registry returns the same family for the same name.
prometheus::Family<prometheus::Gauge>& in_flight_family(prometheus::Registry& registry) {
  return prometheus::BuildGauge()
      .Name("apiserver_current_inflight_requests")
      .Help("[STABLE] Number of requests under way, by request kind.")
      .Register(registry);
}

// All labels of Kubernetes, also the constant ones, so that queries which aggregate by them work.
prometheus::Labels label_set(Verb verb, const EndpointLabels& endpoint, std::string_view resource) {
  return {{"verb", std::string(name_of(verb))},
          {"dry_run", ""},
          {"group", endpoint.group},
          {"version", endpoint.version},
          {"resource", std::string(resource)},
          {"subresource", endpoint.subresource},
          {"scope", endpoint.scope},
          {"component", "apiserver"}};
}

}  // namespace

RequestCounts::RequestCounts(prometheus::Registry& registry)
    : durations_(prometheus::BuildHistogram()
                     .Name("apiserver_request_duration_seconds")
                     .Help("[STABLE] Seconds from a request's head to its response; resource is "
                           "* for all metrics of a group.")
                     .Register(registry)),
      reading_(in_flight_family(registry).Add({{"request_kind", "readOnly"}})),
      mutating_(in_flight_family(registry).Add({{"request_kind", "mutating"}})),
      tls_failures_(prometheus::BuildCounter()
                        .Name("apiserver_tls_handshake_errors_total")
                        .Help("[ALPHA] Connections that ended within the TLS handshake.")
                        .Register(registry)
                        .Add({})),
      endpoints_(table_.size()),
      histograms_(table_.size()),
      index_(std::make_shared<const scalers::MetricIndex>()) {}

void RequestCounts::set_endpoints(EndpointTable table) {
  table_ = std::move(table);
  endpoints_.resize(table_.size());
  histograms_.resize(table_.size());
}

void RequestCounts::set_metrics(std::shared_ptr<const scalers::MetricIndex> index) {
  std::vector<Cells> metrics(index->size());
  // Counts follow the name: the id of a metric changes when the configuration adds one before it.
  for (const scalers::MetricId before : index_->by_name()) {
    const auto id = index->find(index_->name(before));
    if (id) metrics[static_cast<std::size_t>(*id)] = std::move(cells_of(before));
  }
  metrics_ = std::move(metrics);
  index_ = std::move(index);
}

prometheus::Gauge& RequestCounts::in_flight(Verb verb) {
  return is_mutating(verb) ? mutating_ : reading_;
}

void RequestCounts::done(const RequestLabels& labels,
                         int status,
                         std::chrono::duration<double> took) {
  // A name that is not configured is counted with its endpoint, because callers may send any number
  // of names.
  const auto id = index_->find(labels.metric, labels.id);
  Cells& cells = id ? cells_of(*id) : endpoints_.at(static_cast<std::size_t>(labels.endpoint));
  count(cells, labels, status);
  observe(labels, took.count());
}

void RequestCounts::count(Cells& cells, const RequestLabels& labels, int status) {
  // Linear: see Cell.
  auto known = std::ranges::find_if(cells, [&](const Cell& cell) {
    return cell.verb == labels.verb && cell.status == status && cell.endpoint == labels.endpoint;
  });
  if (known == cells.end())
    known = cells.insert(cells.end(), {0, labels.endpoint, labels.verb, status});
  ++known->total;
}

void RequestCounts::append_to(std::string& out) const {
  FamilyText totals(out, kTotals);
  for (const Cells& cells : endpoints_) append_cells(totals, cells, "");
  for (const scalers::MetricId id : index_->by_name())
    append_cells(totals, metrics_[static_cast<std::size_t>(id)], index_->name(id));
}

void RequestCounts::append_cells(FamilyText& totals,
                                 const Cells& cells,
                                 std::string_view resource) const {
  for (const Cell& cell : cells) {
    const EndpointLabels& endpoint = table_[cell.endpoint];
    const fmt::format_int code(cell.status);
    totals.add({{"code", {code.data(), code.size()}},
                {"component", "apiserver"},
                {"dry_run", ""},
                {"group", endpoint.group},
                {"resource", resource},
                {"scope", endpoint.scope},
                {"subresource", endpoint.subresource},
                {"verb", name_of(cell.verb)},
                {"version", endpoint.version}},
               static_cast<double>(cell.total));
  }
}

// Metrics share a histogram: 26 lines for each of 1,000 would hold the loop up for 0.1 s.
void RequestCounts::observe(const RequestLabels& labels, double seconds) {
  const auto endpoint = static_cast<std::size_t>(labels.endpoint);
  prometheus::Histogram*& known =
      histograms_.at(endpoint).at(static_cast<std::size_t>(labels.verb));
  // Created by its first request, because most pairs of endpoint and verb never occur.
  if (known == nullptr) {
    const std::string_view resource = labels.metric.empty() ? "" : kAnyMetric;
    known = &durations_.Add(label_set(labels.verb, table_[labels.endpoint], resource),
                            bucket_seconds());
  }
  known->Observe(seconds);
}

}  // namespace weir::server
