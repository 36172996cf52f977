// The counts of questions to backends, and the last value of each metric whose values are few. Part
// of Telemetry; loop thread only.
#pragma once

#include "scalers/read/world.hpp"
#include "server/telemetry/names.hpp"

#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

class ReadCounts {
 public:
  // `registry` outlives the counts.
  explicit ReadCounts(prometheus::Registry& registry);

  // Backends and metrics of these alone become labels. The series of those that are gone end.
  // `names` are theirs.
  void set_metrics(const std::vector<scalers::MetricInfo>& metrics,
                   std::shared_ptr<const MetricNames> names);
  // `outcome` is a literal: ok, cached, shared, or the name of an Errc.
  void count(const scalers::ReadOf& of, std::string_view outcome);
  // A policy, a literal named as in the configuration, changed the number of a read.
  void changed(const scalers::ReadOf& of, std::string_view policy);
  // A read was answered with its fallback's number.
  void fell_back(const scalers::ReadOf& of);
  void took(const scalers::ReadOf& of, std::chrono::duration<double> span);
  void value(const scalers::ReadOf& of, const scalers::Reading& reading);
  // Appends the series that the registry does not hold, of which some depend on the time of day.
  void append_to(std::string& out, WallTime now) const;

 private:
  using Backends = std::map<std::string, prometheus::Histogram*, std::less<>>;
  using Namespaces = std::vector<std::string>;
  struct Value {
    std::uint32_t name_space;  // its place among those of the metric
    double last;
    WallTime taken_at;
  };
  struct Tally {
    std::string_view word;  // an outcome or a policy
    std::uint64_t total;
  };
  using Tallies = std::vector<Tally>;  // few
  // What namesakes for other namespaces share, if they ask the same backend.
  struct Counters {
    std::uint32_t name;  // its place
    const std::string* backend;
    Tallies outcomes = {};
    Tallies policies = {};
    std::uint64_t fallbacks = 0;
  };
  // One metric of the configuration.
  struct Entry {
    std::uint32_t name;      // its place
    std::uint32_t counters;  // their place
    const std::string* backend;
    const Namespaces* namespaces;  // "*" alone means every namespace
    bool has_labels;
    bool is_per_namespace;
    std::vector<Value> values = {};  // by the place of the namespace
  };
  // All of them. What is pointed at is in `namespaces`, and in the keys of backends_.
  struct Configured {
    std::shared_ptr<const MetricNames> names =
        std::make_shared<const MetricNames>();  // also the requests'
    std::set<Namespaces> namespaces = {};
    std::vector<Entry> entries = {};      // by name
    std::vector<Counters> counters = {};  // by name

    void add(const scalers::MetricInfo& info, const std::string& backend);
    // Puts what was added into its order.
    void finish();
    // Goes on from what `before` counted of the same metrics.
    void take_over(Configured& before);
  };

  // Of the metric that serves the read; null when there is none.
  [[nodiscard]] Entry* find(const scalers::ReadOf& of);
  [[nodiscard]] Counters* counters_of(const scalers::ReadOf& of);
  static void increment(Tallies& tallies, std::string_view word);
  void append_counts(std::string& out) const;
  void append_values(std::string& out, WallTime now) const;

  prometheus::Family<prometheus::Histogram>& durations_;
  Backends backends_;
  Configured configured_;
};

}  // namespace weir::server
