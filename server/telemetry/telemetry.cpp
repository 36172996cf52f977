#include "server/telemetry/telemetry.hpp"

#include "server/telemetry/backends.hpp"
#include "server/telemetry/process_facts.hpp"
#include "server/telemetry/reads.hpp"
#include "server/telemetry/requests.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstddef>

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
        threads_(gauge(registry, "process_threads", "Threads of the process.")),
        open_fds_(gauge(registry, "process_open_fds", "Number of open file descriptors.")),
        max_fds_(gauge(registry, "process_max_fds", "Maximum number of open file descriptors.")),
        started_at_(gauge(registry,
                          "process_start_time_seconds",
                          "Start time of the process since 1970 in seconds.")) {}

  void refresh() {
    const ProcessFacts facts = process_facts();
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
  prometheus::Registry registry;
  RequestCounts requests{registry};
  ReadCounts reads{registry};
  BackendSeries backends{registry};
  ProcessSeries process{registry};
  prometheus::Gauge& is_config_well = gauge(registry,
                                            "weir_config_last_reload_successful",
                                            "1 when the last look at the configuration found it "
                                            "valid, 0 while an older one is served.");
  prometheus::Gauge& config_loaded_at = gauge(registry,
                                              "weir_config_last_reload_success_timestamp_seconds",
                                              "When the configuration in force was loaded.");
  prometheus::Histogram& loop_lag =
      prometheus::BuildHistogram()
          .Name("weir_event_loop_lag_seconds")
          .Help("How late the event loop came to a tick, measured once a second.")
          .Register(registry)
          .Add({}, lag_seconds());
  prometheus::Family<prometheus::Gauge>& certificate_expires =
      prometheus::BuildGauge()
          .Name("weir_certificate_expiry_timestamp_seconds")
          .Help("When a certificate that Weir shows expires.")
          .Register(registry);
  prometheus::Counter& log_lines_dropped = prometheus::BuildCounter()
                                               .Name("weir_log_lines_dropped_total")
                                               .Help("Log lines that stderr had no room for.")
                                               .Register(registry)
                                               .Add({});
  std::size_t page_bytes = 0;  // of the last page
};

Telemetry::Telemetry() : parts_(std::make_unique<Parts>()) {
  gauge(parts_->registry,
        "weir_build_info",
        "1, with what this program was built from.",
        {{"version", WEIR_VERSION}})
      .Set(1);
}

Telemetry::~Telemetry() = default;

void Telemetry::set_metrics(const std::vector<scalers::MetricInfo>& metrics) {
  const auto names = std::make_shared<const MetricNames>(metrics);
  parts_->requests.set_metrics(names);
  parts_->reads.set_metrics(metrics, names);
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

void Telemetry::tls_handshake_failed() { parts_->requests.tls_handshake_failed(); }

void Telemetry::question_done(const scalers::ReadOf& of,
                              std::optional<scalers::Errc> failure,
                              std::chrono::duration<double> took) {
  parts_->reads.count(of, failure ? scalers::name_of(*failure) : "ok");
  if (failure != scalers::Errc::overloaded) parts_->reads.took(of, took);
}

void Telemetry::answer_reused(const scalers::ReadOf& of, scalers::Reuse how) {
  parts_->reads.count(of, how == scalers::Reuse::cached ? "cached" : "shared");
}

void Telemetry::value_changed(const scalers::ReadOf& of, std::string_view policy) {
  parts_->reads.changed(of, policy);
}

void Telemetry::fallback_given(const scalers::ReadOf& of) { parts_->reads.fell_back(of); }

void Telemetry::value_given(const scalers::ReadOf& of, const scalers::Reading& reading) {
  parts_->reads.value(of, reading);
}

void Telemetry::loop_was_late(std::chrono::duration<double> by) {
  parts_->loop_lag.Observe(by.count());
}

std::string Telemetry::page(const State& state) {
  parts_->process.refresh();
  parts_->backends.refresh(state.backends);
  const auto dropped = static_cast<double>(state.log_lines_dropped);
  parts_->log_lines_dropped.Increment(dropped - parts_->log_lines_dropped.Value());
  if (state.config) {
    parts_->is_config_well.Set(state.config->is_well ? 1 : 0);
    parts_->config_loaded_at.Set(seconds(state.config->loaded_at));
  }
  if (state.serving_certificate_expires) {
    parts_->certificate_expires.Add({{"which", "serving"}})
        .Set(seconds(*state.serving_certificate_expires));
  }
  // A page is about as long as the one before: no room is taken twice.
  std::string out;
  out.reserve(parts_->page_bytes + parts_->page_bytes / 16);
  parts_->requests.append_to(out);
  parts_->reads.append_to(out, state.now);
  out += prometheus::TextSerializer().Serialize(parts_->registry.Collect());
  parts_->page_bytes = out.size();
  return out;
}

}  // namespace weir::server
