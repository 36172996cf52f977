// The store of weir_queries_total and weir_value, apart from prometheus-cpp's: a series there
// is a kilobyte, and a configuration may have ten thousand metrics.
#include "server/telemetry/reads.hpp"

#include <algorithm>
#include <utility>

namespace weir::server {
namespace {

constexpr SeriesFamily kTotals{
    "weir_queries_total",
    "Reads by outcome: ok or an error code after a query to the backend, cached (a cached answer), "
    "or shared (the result of a query in flight).",
    "counter"};
constexpr SeriesFamily kChanges{"weir_policy_changes_total",
                                "Values that a policy of the metric changed.",
                                "counter"};
constexpr SeriesFamily kFallbacks{"weir_fallback_total",
                                  "Reads that returned the metric's fallback instead of an error.",
                                  "counter"};
constexpr SeriesFamily kValues{"weir_value",
                               "Last value of a metric, after its policies.",
                               "gauge"};
constexpr SeriesFamily kAges{
    "weir_value_age_seconds",
    "Seconds since the last value was measured. Grows while reads fail or stop.",
    "gauge"};
constexpr SeriesFamily kActive{"weir_metric_active",
                               "1 if the last value of a metric without parameters is above 0.",
                               "gauge"};

// From a query to a server nearby to 30 s, the longest deadline of a metric.
const prometheus::Histogram::BucketBoundaries& seconds() {
  static const prometheus::Histogram::BucketBoundaries
      kSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  return kSeconds;
}

bool is_for_all(const std::vector<std::string>& namespaces) { return namespaces.front() == "*"; }

// The index of the label for `name_space` among those that a metric serves; nullopt: not served.
std::optional<std::uint32_t> label_of(const std::vector<std::string>& served,
                                      std::string_view name_space) {
  // One label "*" for every namespace, because callers choose the namespace and could otherwise add
  // any number of series.
  if (is_for_all(served)) return 0;
  // Binary, because each count of a read searches here.
  const auto found = std::ranges::lower_bound(served, name_space);
  if (found == served.end() || *found != name_space) return std::nullopt;
  return static_cast<std::uint32_t>(found - served.begin());
}

std::vector<std::string> names_of(const std::vector<scalers::MetricInfo::Label>& labels) {
  std::vector<std::string> out;
  out.reserve(labels.size());
  for (const auto& label : labels) out.push_back(label.name);
  return out;
}

}  // namespace

ReadCounts::ReadCounts(prometheus::Registry& registry, std::size_t max_parameter_sets)
    : durations_(prometheus::BuildHistogram()
                     .Name("weir_query_duration_seconds")
                     .Help("Seconds that a query to the backend took, without the wait before it.")
                     .Register(registry)),
      parameter_values_(max_parameter_sets) {}

void ReadCounts::set_metrics(const std::vector<scalers::MetricInfo>& metrics,
                             std::shared_ptr<const scalers::MetricIndex> index) {
  std::set<std::string_view> used;
  Configured configured;
  configured.index = std::move(index);
  configured.entries.reserve(metrics.size());
  for (const scalers::MetricInfo& info : metrics) {
    used.insert(info.backend);
    add_entry(configured, info);
  }
  // Before the backends are erased: both configurations point to their names.
  carry_over_counts(configured_, configured);
  set_families(configured_, configured);
  configured_ = std::move(configured);
  std::erase_if(backends_, [&](const auto& one) {
    const bool is_gone = !used.contains(one.first);
    if (is_gone) durations_.Remove(one.second);
    return is_gone;
  });
  // A set that stays under a changed label would be on the page twice after its next read.
  parameter_values_.erase_unless(
      [this](ParameterValues::FamilyId family, const scalers::ReadOf& of) {
        const Entry* entry = find_entry(of);
        return entry != nullptr && entry->has_parameters() && entry->family == family;
      });
}

void ReadCounts::add_entry(Configured& to, const scalers::MetricInfo& info) {
  auto backend = backends_.find(info.backend);
  if (backend == backends_.end()) {
    prometheus::Histogram& durations = durations_.Add({{"backend", info.backend}}, seconds());
    backend = backends_.emplace(info.backend, &durations).first;
  }
  // Equal lists of namespaces are stored once, because most metrics of a team have the same one.
  to.entries.push_back({.backend = &backend->first,
                        .namespaces = &*to.namespaces.insert(info.namespaces).first,
                        .labels = &*to.labels.insert(names_of(info.labels)).first,
                        .is_per_namespace = info.is_per_namespace,
                        .is_filtered = info.is_filtered});
}

void ReadCounts::set_families(const Configured& from, Configured& to) {
  for (std::size_t place = 0; place < to.entries.size(); ++place) {
    const auto id = static_cast<scalers::MetricId>(place);
    Entry& entry = to.entries[place];
    const auto take_over = [&](const Configured& in, auto is_candidate) {
      for (auto other = in.index->find(to.index->name(id)); other; other = in.index->next(*other)) {
        const Entry& candidate = in.entries[static_cast<std::size_t>(*other)];
        const bool is_same = candidate.backend == entry.backend &&
                             *candidate.labels == *entry.labels &&
                             candidate.is_any_namespace() == entry.is_any_namespace();
        if (!is_same || !is_candidate(*other)) continue;
        entry.family = candidate.family;
        return true;
      }
      return false;
    };
    const auto is_before = [id](scalers::MetricId other) { return other < id; };
    const auto is_any = [](scalers::MetricId) { return true; };
    if (!take_over(to, is_before) && !take_over(from, is_any)) entry.family = ++families_;
  }
}

// A series goes on when its labels stay the same: backend, metric and namespace.
void ReadCounts::carry_over_counts(Configured& from, Configured& to) const {
  for (std::size_t place = 0; place < to.entries.size(); ++place) {
    Entry& entry = to.entries[place];
    const std::string_view name = to.index->name(scalers::MetricId(place));
    for (auto id = from.index->find(name); id; id = from.index->next(*id)) {
      Entry& before = from.entries[static_cast<std::size_t>(*id)];
      // Equal pointers are equal names, because both point into backends_.
      if (before.backend != entry.backend) continue;
      // The counts go on in any case. The last value does not: with other parameters it would be
      // that of another query.
      const bool is_same_value = *before.labels == *entry.labels &&
                                 before.is_per_namespace == entry.is_per_namespace &&
                                 before.is_filtered == entry.is_filtered &&
                                 is_for_all(*before.namespaces) == is_for_all(*entry.namespaces);
      for (Series& series : before.series) {
        const auto label = label_of(*entry.namespaces, (*before.namespaces)[series.name_space]);
        const bool is_same_label =
            label && (*entry.namespaces)[*label] == (*before.namespaces)[series.name_space];
        if (!is_same_label) continue;
        // A series is moved to one entry at most: entries of one name serve different namespaces.
        Series& mine = series_of(entry, *label);
        mine = std::move(series);
        mine.name_space = *label;
        if (!is_same_value) mine.last.reset();
      }
    }
  }
}

ReadCounts::Entry* ReadCounts::find_entry(const scalers::ReadOf& of) {
  const scalers::MetricIndex& index = *configured_.index;
  // No search in the usual case: the reader holds its index, so an equal address is the same index.
  if (of.index == &index) return &configured_.entries[static_cast<std::size_t>(of.id)];
  // The read began before a reload, so that its id belongs to an older index.
  for (auto id = index.find(of.metric); id; id = index.next(*id)) {
    Entry& entry = configured_.entries[static_cast<std::size_t>(*id)];
    if (*entry.backend == of.backend && label_of(*entry.namespaces, of.name_space)) return &entry;
  }
  return nullptr;
}

ReadCounts::Series* ReadCounts::find(const scalers::ReadOf& of) {
  Entry* entry = find_entry(of);
  if (entry == nullptr) return nullptr;
  return &series_of(*entry, *label_of(*entry->namespaces, of.name_space));
}

ReadCounts::Series& ReadCounts::series_of(Entry& entry, std::uint32_t name_space) {
  // A series is created by the first read, so that metrics that nobody reads need no memory for it.
  auto known = std::ranges::lower_bound(entry.series, name_space, {}, &Series::name_space);
  if (known == entry.series.end() || known->name_space != name_space)
    known = entry.series.insert(known, {.name_space = name_space});
  return *known;
}

void ReadCounts::count_outcome(const scalers::ReadOf& of, std::string_view outcome) {
  Series* series = find(of);
  if (series != nullptr) increment(series->outcomes, outcome);
}

void ReadCounts::count_change(const scalers::ReadOf& of, std::string_view policy) {
  Series* series = find(of);
  if (series != nullptr) increment(series->policies, policy);
}

void ReadCounts::increment(OutcomeCounts& counts, std::string_view name) {
  // Linear, because a metric has a handful of outcomes.
  auto known = std::ranges::find(counts, name, &OutcomeCount::name);
  if (known == counts.end()) known = counts.insert(counts.end(), {name, 0});
  ++known->total;
}

void ReadCounts::count_fallback(const scalers::ReadOf& of) {
  Series* series = find(of);
  if (series != nullptr) ++series->fallbacks;
}

void ReadCounts::observe_duration(const scalers::ReadOf& of, std::chrono::duration<double> span) {
  // There is none after a reload that removed the backend during the query.
  const auto found = backends_.find(of.backend);
  if (found != backends_.end()) found->second->Observe(span.count());
}

void ReadCounts::set_value(const scalers::ReadOf& of, const scalers::Reading& reading) {
  Entry* entry = find_entry(of);
  if (entry == nullptr) return;
  // The labels of a sample make several values of one metric, as parameters do.
  if (entry->has_parameters() || !reading.labels.empty())
    return parameter_values_.set(entry->family, of, reading, entry->is_any_namespace());
  series_of(*entry, *label_of(*entry->namespaces, of.name_space)).last =
      LastValue{reading.value, reading.taken_at};
}

void ReadCounts::append_to(std::string& out, WallTime now) {
  // Before the page is written, which would show the expired sets once more.
  parameter_values_.expire(now);
  append_counts(out);
  append_values(out, now);
}

template <class Add>
void ReadCounts::for_each_series(Add add) const {
  const scalers::MetricIndex& index = *configured_.index;
  // By name, so that a new order in the configuration does not change the order of the page.
  for (const scalers::MetricId first : index.by_name()) {
    for (std::optional id(first); id; id = index.next(*id)) {
      const Entry& entry = configured_.entries[static_cast<std::size_t>(*id)];
      for (const Series& series : entry.series) add(index.name(*id), entry, series);
    }
  }
}

void ReadCounts::append_counts(std::string& out) const {
  // One pass for each family, because the text format wants all series of a family together.
  const auto totals =
      [&](const SeriesFamily& family, OutcomeCounts Series::*counts, std::string_view label) {
        FamilyText text(out, family);
        for_each_series([&](std::string_view metric, const Entry& entry, const Series& series) {
          for (const OutcomeCount& one : series.*counts) {
            const std::string_view name_space = (*entry.namespaces)[series.name_space];
            text.add({{"backend", *entry.backend},
                      {"metric", metric},
                      {"namespace", name_space},
                      {label, one.name}},
                     static_cast<double>(one.total));
          }
        });
      };
  totals(kTotals, &Series::outcomes, "outcome");
  totals(kChanges, &Series::policies, "policy");
  FamilyText fallbacks(out, kFallbacks);
  for_each_series([&](std::string_view metric, const Entry& entry, const Series& series) {
    // No series for the many metrics without a fallback.
    if (series.fallbacks == 0) return;
    fallbacks.add({{"backend", *entry.backend},
                   {"metric", metric},
                   {"namespace", (*entry.namespaces)[series.name_space]}},
                  static_cast<double>(series.fallbacks));
  });
}

void ReadCounts::append_values(std::string& out, WallTime now) const {
  const auto gauge = [&](const SeriesFamily& family, bool has_parameters, auto number_of) {
    FamilyText text(out, family);
    for_each_series([&](std::string_view metric, const Entry& entry, const Series& series) {
      if (!series.last) return;
      text.add({{"metric", metric}, {"namespace", (*entry.namespaces)[series.name_space]}},
               number_of(series.last->value, series.last->taken_at));
    });
    if (has_parameters) parameter_values_.append_to(text, number_of);
  };
  gauge(kValues, true, [](double value, WallTime) { return value; });
  gauge(kAges, true, [now](double, WallTime taken_at) { return age_seconds(taken_at, now); });
  gauge(kActive, false, [](double value, WallTime) { return value > 0 ? 1.0 : 0.0; });
}

}  // namespace weir::server
