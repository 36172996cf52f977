// The counts of questions to backends, and the last value of each metric whose values are few. Part
// of Telemetry; loop thread only.
#pragma once

#include "scalers/world.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {

class ReadCounts {
 public:
  // `registry` outlives the counts.
  explicit ReadCounts(prometheus::Registry& registry);

  // Backends and metrics of these alone become labels. The series of those that are gone end.
  void set_metrics(const std::vector<scalers::MetricInfo>& metrics);
  // `outcome` is a word of ours: ok, cached, shared, or the name of an Errc.
  void count(const scalers::ReadOf& of, std::string_view outcome);
  // A policy, named as in the configuration, changed the number of a read.
  void changed(const scalers::ReadOf& of, std::string_view policy);
  // A read was answered with its fallback's number.
  void fell_back(const scalers::ReadOf& of);
  void took(const scalers::ReadOf& of, std::chrono::duration<double> span);
  void value(const scalers::ReadOf& of, const scalers::Reading& reading);
  // Sets what depends on the time of day.
  void refresh(WallTime now);

 private:
  struct Value {
    prometheus::Gauge* last;
    prometheus::Gauge* age;
    prometheus::Gauge* is_active;
    WallTime taken_at;
  };
  using ByWord = std::map<std::string, prometheus::Counter*, std::less<>>;
  struct Counters {
    ByWord by_outcome;
    ByWord by_policy;
    prometheus::Counter* fallbacks = nullptr;  // from the first one on
  };
  struct Entry {
    scalers::MetricInfo info;
    Counters* counters;  // namesakes for other namespaces share them
    std::map<std::string, Value, std::less<>> by_namespace;
  };

  [[nodiscard]] Entry* find(const scalers::ReadOf& of);
  // Counts one of `family` under the label `name`, whose value is `word`.
  static void increment(prometheus::Family<prometheus::Counter>& family,
                        ByWord& counters,
                        const scalers::MetricInfo& info,
                        const char* name,
                        std::string_view word);
  [[nodiscard]] Value make_value(const std::string& metric, const std::string& name_space);
  void end(const Entry& entry);
  void end_counters_but_of(const std::vector<scalers::MetricInfo>& metrics);

  prometheus::Family<prometheus::Counter>& totals_;
  prometheus::Family<prometheus::Counter>& changes_;
  prometheus::Family<prometheus::Counter>& fallbacks_;
  prometheus::Family<prometheus::Histogram>& durations_;
  prometheus::Family<prometheus::Gauge>& values_;
  prometheus::Family<prometheus::Gauge>& ages_;
  prometheus::Family<prometheus::Gauge>& active_;
  std::map<std::pair<std::string, std::string>, Counters> counters_;  // by backend and metric
  std::multimap<std::string, Entry, std::less<>> entries_;            // by the metric's name
  std::map<std::string, prometheus::Histogram*, std::less<>> backends_;
};

}  // namespace weir::server
