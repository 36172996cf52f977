// The page of /metrics from its parts: prometheus-cpp renders what is few, reads and requests
// render themselves.
#include "server/telemetry/telemetry.hpp"

#include "server/logging/log.hpp"
#include "server/logging/repeats.hpp"
#include "server/telemetry/backends.hpp"
#include "server/telemetry/connections.hpp"
#include "server/telemetry/process_facts.hpp"
#include "server/telemetry/reads.hpp"
#include "server/telemetry/requests.hpp"
#include "server/telemetry/text.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace weir::server {
namespace {

prometheus::Gauge& gauge(prometheus::Registry& registry,
                         const char* name,
                         const char* help,
                         const prometheus::Labels& labels = {}) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
}

const prometheus::Histogram::BucketBoundaries& lag_seconds() {
  static const prometheus::Histogram::BucketBoundaries
      kSeconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1};
  return kSeconds;
}

// For people: "75.2s".
std::string seconds_text(Duration span) {
  return fmt::format("{:.1f}s", std::chrono::duration<double>(span).count());
}

// Between two lines about failed handshakes of one peer.
constexpr Duration kHandshakeLineSpan{60'000};

constexpr SeriesFamily kFailing{
    "weir_metric_failing",
    "1 for each metric and label set whose reads fail, with the code of the error.",
    "gauge"};

// Sorted, so that the order of the page does not depend on who failed last.
void append_failing(std::string& out, const Telemetry::State& state) {
  std::vector<std::string> series;
  for (const scalers::BackendState& backend : state.backends) {
    if (!backend.failing) continue;
    backend.failing->for_each_current(state.steady_now, [&](const auto& failure) {
      const std::array<SeriesLabel, 5> labels{{{"backend", backend.name},
                                               {"code", name_of(failure.error.code)},
                                               {"labels", failure.read.labels},
                                               {"metric", failure.read.metric},
                                               {"namespace", failure.read.name_space}}};
      append_labels(series.emplace_back(), labels);
    });
  }
  std::ranges::sort(series);
  FamilyText text(out, kFailing);
  for (const std::string& one : series) text.add(one, 1);
}

double seconds(WallTime at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

// The process_* series of Prometheus' own clients.
class ProcessSeries {
 public:
  explicit ProcessSeries(prometheus::Registry& registry)
      : cpu_(prometheus::BuildCounter()
                 .Name("process_cpu_seconds_total")
                 .Help("Total user and system CPU time spent in seconds.")
                 .Register(registry)
                 .Add({})),
        resident_(gauge(registry, "process_resident_memory_bytes", "Resident memory in bytes.")),
        virtual_(gauge(registry, "process_virtual_memory_bytes", "Virtual memory in bytes.")),
        threads_(gauge(registry, "process_threads", "Number of threads of the process.")),
        open_fds_(gauge(registry, "process_open_fds", "Number of open file descriptors.")),
        max_fds_(gauge(registry, "process_max_fds", "Maximum number of open file descriptors.")),
        started_at_(gauge(registry,
                          "process_start_time_seconds",
                          "Start time of the process since 1970 in seconds.")) {}

  void refresh() {
    const ProcessFacts facts = process_facts();
    // A Counter never falls: CPU time that cannot be read is 0 and changes nothing.
    cpu_.Increment(std::max(0.0, facts.cpu_seconds - cpu_.Value()));
    resident_.Set(facts.resident_bytes);
    virtual_.Set(facts.virtual_bytes);
    threads_.Set(facts.threads);
    open_fds_.Set(facts.open_fds);
    max_fds_.Set(facts.max_fds);
    started_at_.Set(facts.started_at);
  }

 private:
  prometheus::Counter& cpu_;
  prometheus::Gauge& resident_;
  prometheus::Gauge& virtual_;
  prometheus::Gauge& threads_;
  prometheus::Gauge& open_fds_;
  prometheus::Gauge& max_fds_;
  prometheus::Gauge& started_at_;
};

}  // namespace

struct Telemetry::Parts {
  explicit Parts(const TelemetrySettings& settings)
      : reads(registry, settings.max_parameter_sets) {}

  // First, because all others refer to it until they are destroyed.
  prometheus::Registry registry;
  RequestCounts requests{registry};
  ReadCounts reads;
  BackendSeries backends{registry};
  ConnectionCounts connections{registry};
  ProcessSeries process{registry};
  prometheus::Gauge& is_last_reload_successful =
      gauge(registry,
            "weir_config_last_reload_successful",
            "1 if the configuration files are in force, 0 while an older one is served because "
            "they are not valid.");
  prometheus::Gauge& config_loaded_at =
      gauge(registry,
            "weir_config_last_reload_success_timestamp_seconds",
            "Time of the load of the configuration in force, in seconds since 1970.");
  prometheus::Family<prometheus::Gauge>& config_files =
      prometheus::BuildGauge()
          .Name("weir_config_file_skipped")
          .Help(
              "1 while a configuration file has problems: its last valid version is in use or, "
              "without one, reads of its metrics are errors.")
          .Register(registry);
  std::map<std::string, prometheus::Gauge*> config_file_gauges = {};
  prometheus::Histogram& loop_lag =
      prometheus::BuildHistogram()
          .Name("weir_event_loop_lag_seconds")
          .Help("Seconds by which the event loop missed a timer, measured once a second.")
          .Register(registry)
          .Add({}, lag_seconds());
  prometheus::Family<prometheus::Gauge>& certificate_expires =
      prometheus::BuildGauge()
          .Name("weir_certificate_expiry_timestamp_seconds")
          .Help("Time at which a certificate of Weir expires, in seconds since 1970.")
          .Register(registry);
  prometheus::Counter& log_lines_dropped =
      prometheus::BuildCounter()
          .Name("weir_log_lines_dropped_total")
          .Help("Log lines dropped because stderr did not take them.")
          .Register(registry)
          .Add({});
  // A port scanner or a client without our CA fails as often as it likes.
  LogRepeats handshakes{kHandshakeLineSpan};
  std::size_t page_bytes = 0;  // of the last page

  // Files that are gone have no series any more.
  void set_config_files(const std::map<std::string, bool>& files) {
    std::erase_if(config_file_gauges, [&](const auto& one) {
      const bool is_gone = !files.contains(one.first);
      if (is_gone) config_files.Remove(one.second);
      return is_gone;
    });
    for (const auto& [file, is_skipped] : files) {
      auto& found = config_file_gauges[file];
      if (found == nullptr) found = &config_files.Add({{"file", file}});
      found->Set(is_skipped ? 1 : 0);
    }
  }
};

Telemetry::Telemetry(TelemetrySettings settings) : parts_(std::make_unique<Parts>(settings)) {
  gauge(parts_->registry,
        "weir_build_info",
        "1, with the version as a label.",
        {{"version", WEIR_VERSION}})
      .Set(1);
}

Telemetry::~Telemetry() = default;

void Telemetry::set_metrics(const std::vector<scalers::MetricInfo>& metrics,
                            std::shared_ptr<const scalers::MetricIndex> index) {
  parts_->requests.set_metrics(index);
  parts_->reads.set_metrics(metrics, std::move(index));
}

void Telemetry::set_endpoints(std::span<const apiservice::GroupVersion> served,
                              const apiservice::Endpoints& endpoints) {
  parts_->requests.set_endpoints(EndpointTable(served, endpoints));
}

RequestLabels Telemetry::labels_of(const apiservice::Request& request,
                                   const apiservice::RequestInfo& info) const {
  return parts_->requests.endpoints().labels_of(request, info);
}

void Telemetry::request_began(Verb verb) { parts_->requests.in_flight(verb).Increment(); }
void Telemetry::request_ended(Verb verb) { parts_->requests.in_flight(verb).Decrement(); }

void Telemetry::request_done(const RequestLabels& labels,
                             int status,
                             std::chrono::duration<double> took) {
  parts_->requests.done(labels, status, took);
}

void Telemetry::tls_handshake_failed(const std::string& peer,
                                     std::string_view reason,
                                     SteadyTime now) {
  parts_->requests.tls_handshake_failed();
  flush_handshake_counts(now);
  const std::array<Field, 2> fields{Field("peer", peer), Field("reason", reason)};
  // By the peer alone: it could have any number of reasons.
  if (parts_->handshakes.admit(Level::info, "handshake_failed", fields, 1, now))
    log(Level::info, "handshake_failed", {fields[0], fields[1]});
}

void Telemetry::connection_evicted(Eviction why) { parts_->connections.evicted(why); }

void Telemetry::flush_handshake_counts(SteadyTime now) {
  for (const LogRepeats::Line& line : parts_->handshakes.take_due(now)) {
    // Beyond the number of peers that are counted apart, the peers share a line.
    const bool is_one_peer = line.fields.size() == 2;
    log(line.level,
        line.event,
        {{"peer", is_one_peer ? line.fields[0].value : "others"},
         {"reason", is_one_peer ? line.fields[1].value : "various"},
         {"repeated", line.repeats}});
  }
}

void Telemetry::backend_down(std::string_view backend,
                             std::string_view address,
                             const scalers::Error& error) {
  // One line for a change of the backend, however many of its metrics fail.
  log(Level::warn,
      "backend_down",
      {{"backend", backend},
       {"address", address},
       {"code", name_of(error.code)},
       {"reason", error.message()}});
}

void Telemetry::backend_up(std::string_view backend, Duration after) {
  log(Level::info, "backend_up", {{"backend", backend}, {"after", seconds_text(after)}});
}

void Telemetry::metric_failing(std::string_view backend,
                               const scalers::read::FailingRead& read,
                               const scalers::Error& error,
                               std::string_view cause) {
  log(Level::warn,
      "metric_failing",
      {{"namespace", read.name_space},
       {"name", read.metric},
       {"labels", read.labels},
       {"backend", backend},
       {"code", name_of(error.code)},
       {"reason", error.message()},
       {"diagnosis", cause}});
}

void Telemetry::metric_recovered(std::string_view backend,
                                 const scalers::read::FailingRead& read,
                                 Duration after) {
  log(Level::info,
      "metric_recovered",
      {{"namespace", read.name_space},
       {"name", read.metric},
       {"labels", read.labels},
       {"backend", backend},
       {"after", seconds_text(after)}});
}

void Telemetry::query_done(const scalers::ReadOf& of,
                           std::optional<scalers::Errc> failure,
                           SteadyTime::duration took) {
  // The literals of name_of() are valid for good, as count_outcome() needs.
  parts_->reads.count_outcome(of, failure ? scalers::name_of(*failure) : "ok");
  // An overloaded read mostly sent no query, and its 0 s would make the backend look fast.
  if (failure != scalers::Errc::overloaded) parts_->reads.observe_duration(of, took);
}

void Telemetry::answer_reused(const scalers::ReadOf& of, scalers::Reuse how) {
  parts_->reads.count_outcome(of, how == scalers::Reuse::cached ? "cached" : "shared");
}

void Telemetry::value_changed(const scalers::ReadOf& of, std::string_view policy) {
  parts_->reads.count_change(of, policy);
}

void Telemetry::fallback_used(const scalers::ReadOf& of) { parts_->reads.count_fallback(of); }

void Telemetry::value_reported(const scalers::ReadOf& of, const scalers::Reading& reading) {
  parts_->reads.set_value(of, reading);
}

void Telemetry::loop_was_late(std::chrono::duration<double> by) {
  parts_->loop_lag.Observe(by.count());
}

std::string Telemetry::page(const State& state) {
  // Read when a page is requested, so that nothing runs between pages.
  parts_->process.refresh();
  parts_->backends.refresh(state.backends, state.steady_now);
  const auto& [certified, strangers, limit] = state.connections;
  parts_->connections.set(certified, strangers, limit);
  // The log counts its lines itself, also before this object exists.
  const auto dropped = static_cast<double>(state.log_lines_dropped);
  parts_->log_lines_dropped.Increment(dropped - parts_->log_lines_dropped.Value());
  if (state.config) {
    parts_->is_last_reload_successful.Set(state.config->is_last_reload_successful ? 1 : 0);
    parts_->config_loaded_at.Set(seconds(state.config->loaded_at));
    parts_->set_config_files(state.config->files);
  }
  if (state.serving_certificate_expires) {
    // Add() returns the same gauge for the same labels.
    parts_->certificate_expires.Add({{"which", "serving"}})
        .Set(seconds(*state.serving_certificate_expires));
  }
  // A page is about as long as the one before: no room is taken twice.
  std::string out;
  out.reserve(parts_->page_bytes + parts_->page_bytes / 16);
  // Written straight into the page, because these families have a series for each metric.
  parts_->requests.append_to(out);
  parts_->reads.append_to(out, state.now);
  append_failing(out, state);
  out += prometheus::TextSerializer().Serialize(parts_->registry.Collect());
  parts_->page_bytes = out.size();
  return out;
}

}  // namespace weir::server
