// The counts of reads and queries, and the last value of each metric, in one store by MetricId.
// Part of Telemetry; loop thread only.
#pragma once

#include "scalers/read/metric_index.hpp"
#include "scalers/read/world.hpp"
#include "server/telemetry/parameter_values.hpp"
#include "server/telemetry/text.hpp"

#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

class ReadCounts {
 public:
  // `registry` outlives the counts. `max_parameter_sets` bounds the values of metrics with
  // parameters: see ParameterValues.
  ReadCounts(prometheus::Registry& registry, std::size_t max_parameter_sets);

  // Only the backends, metrics and namespaces of these become labels. The series of those that are
  // gone end; the others keep their counts. `index` has their names.
  void set_metrics(const std::vector<scalers::MetricInfo>& metrics,
                   std::shared_ptr<const scalers::MetricIndex> index);
  // `outcome` is a literal: ok, cached, shared, or the name of an Errc.
  void count_outcome(const scalers::ReadOf& of, std::string_view outcome);
  // A policy, a literal named as in the configuration, changed the number of a read.
  void count_change(const scalers::ReadOf& of, std::string_view policy);
  void count_fallback(const scalers::ReadOf& of);
  void observe_duration(const scalers::ReadOf& of, std::chrono::duration<double> span);
  void set_value(const scalers::ReadOf& of, const scalers::Reading& reading);
  // Appends the series that the registry does not have, of which some depend on the time of day.
  void append_to(std::string& out, WallTime now);

 private:
  using Backends = std::map<std::string, prometheus::Histogram*, std::less<>>;
  using Namespaces = std::vector<std::string>;
  using LabelNames = std::vector<std::string>;
  struct OutcomeCount {
    std::string_view name;  // of an outcome or a policy
    std::uint64_t total;
  };
  using OutcomeCounts = std::vector<OutcomeCount>;  // few
  struct LastValue {
    double value;
    WallTime taken_at;
  };
  // What is known of a metric in one namespace.
  struct Series {
    std::uint32_t name_space;  // its index among those of the metric
    OutcomeCounts outcomes = {};
    OutcomeCounts policies = {};
    std::uint64_t fallbacks = 0;
    std::optional<LastValue> last = {};  // of a metric without parameters
  };
  // One metric of the configuration.
  struct Entry {
    const std::string* backend;
    const Namespaces* namespaces;  // sorted; "*" alone means every namespace
    const LabelNames* labels;      // that the configuration declares, in its order
    bool is_per_namespace;
    bool is_filtered;
    ParameterValues::FamilyId family = 0;
    std::vector<Series> series = {};  // by namespace, only those that were read

    // One value for every namespace.
    [[nodiscard]] bool is_any_namespace() const {
      return namespaces->front() == "*" && !is_per_namespace;
    }
    // Its values are in parameter_values_, because callers choose how many there are.
    [[nodiscard]] bool has_parameters() const {
      return !labels->empty() || is_filtered || (namespaces->front() == "*" && is_per_namespace);
    }
  };
  // Invariant: `backend` of an entry points to a key of backends_, `namespaces` and `labels` into
  // the sets of those names. The containers are node-based, so that the pointers survive insertion
  // and the move of the whole; keys of backends_ are erased only after the entries that point to
  // them.
  struct Configured {
    std::shared_ptr<const scalers::MetricIndex> index =
        std::make_shared<const scalers::MetricIndex>();  // second owners: the reader, the requests
    std::set<Namespaces> namespaces = {};
    std::set<LabelNames> labels = {};
    std::vector<Entry> entries = {};  // by MetricId
  };

  void add_entry(Configured& to, const scalers::MetricInfo& info);
  void carry_over_counts(Configured& from, Configured& to) const;
  // Gives each entry of `to` the family of those that have the same series, in `from` or before it
  // in `to`, or else a new one.
  void set_families(const Configured& from, Configured& to);
  // Of the metric and namespace of the read; null when the configuration has none: the read began
  // before a reload.
  [[nodiscard]] Series* find(const scalers::ReadOf& of);
  [[nodiscard]] Entry* find_entry(const scalers::ReadOf& of);
  [[nodiscard]] static Series& series_of(Entry& entry, std::uint32_t name_space);
  static void increment(OutcomeCounts& counts, std::string_view name);
  // Calls `add(metric, entry, series)` for each series, in the order of the metrics' names.
  template <class Add>
  void for_each_series(Add add) const;
  void append_counts(std::string& out) const;
  void append_values(std::string& out, WallTime now) const;

  prometheus::Family<prometheus::Histogram>& durations_;
  Backends backends_;
  Configured configured_;
  ParameterValues parameter_values_;
  ParameterValues::FamilyId families_ = 0;  // given so far
};

}  // namespace weir::server
