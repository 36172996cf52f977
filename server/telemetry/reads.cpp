#include "server/telemetry/reads.hpp"

#include "server/telemetry/text.hpp"

#include <algorithm>
#include <utility>

namespace weir::server {
namespace {

constexpr SeriesFamily kTotals{
    "weir_query_total",
    "Answers of reads by what they came to: asked of the backend (ok or what failed), cached (a "
    "kept answer) or shared (an identical read under way).",
    "counter"};
constexpr SeriesFamily kChanges{"weir_policy_total",
                                "Reads whose number a policy of the metric changed.",
                                "counter"};
constexpr SeriesFamily kFallbacks{
    "weir_fallback_total",
    "Reads answered with the number of the metric's fallback in place of an error.",
    "counter"};
constexpr SeriesFamily kValues{"weir_value",
                               "The last value of a metric without parameters, after its policies.",
                               "gauge"};
constexpr SeriesFamily kAges{"weir_value_age_seconds",
                             "How long ago the last value was taken: it grows while reads fail, "
                             "and while nobody reads.",
                             "gauge"};
constexpr SeriesFamily kActive{"weir_metric_active",
                               "1 when the last value is above 0, else 0.",
                               "gauge"};

const prometheus::Histogram::BucketBoundaries& seconds() {
  static const prometheus::Histogram::BucketBoundaries
      kSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  return kSeconds;
}

bool is_for_all(const std::vector<std::string>& namespaces) { return namespaces.front() == "*"; }

// The entries, or the counters, of the name at `place`.
template <class Of>
auto range(Of& all, std::size_t place) {
  return std::ranges::equal_range(all, place, {}, &Of::value_type::name);
}

double age_of(WallTime taken_at, WallTime now) {
  const std::chrono::duration<double> age = now - taken_at;
  return std::max(0.0, age.count());
}

}  // namespace

ReadCounts::ReadCounts(prometheus::Registry& registry)
    : durations_(prometheus::BuildHistogram()
                     .Name("weir_query_duration_seconds")
                     .Help("Seconds that a backend took for a question, without the wait for a "
                           "turn.")
                     .Register(registry)) {}

void ReadCounts::set_metrics(const std::vector<scalers::MetricInfo>& metrics,
                             std::shared_ptr<const MetricNames> names) {
  std::set<std::string_view> asked;
  Configured configured;
  configured.names = std::move(names);
  configured.entries.reserve(metrics.size());
  for (const scalers::MetricInfo& info : metrics) {
    asked.insert(info.backend);
    auto backend = backends_.find(info.backend);
    if (backend == backends_.end()) {
      prometheus::Histogram& durations = durations_.Add({{"backend", info.backend}}, seconds());
      backend = backends_.emplace(info.backend, &durations).first;
    }
    configured.add(info, backend->first);
  }
  configured.finish();
  configured.take_over(configured_);
  configured_ = std::move(configured);
  std::erase_if(backends_, [&](const auto& one) {
    const bool is_gone = !asked.contains(one.first);
    if (is_gone) durations_.Remove(one.second);
    return is_gone;
  });
}

void ReadCounts::Configured::add(const scalers::MetricInfo& info, const std::string& backend) {
  entries.push_back({.name = static_cast<std::uint32_t>(names->find(info.name).value()),
                     .counters = 0,
                     .backend = &backend,
                     .namespaces = &*namespaces.insert(info.namespaces).first,
                     .has_labels = !info.labels.empty(),
                     .is_per_namespace = info.is_per_namespace});
}

void ReadCounts::Configured::finish() {
  std::ranges::sort(entries, {}, &Entry::name);
  counters.reserve(entries.size());
  for (Entry& entry : entries) {
    const auto shared = range(counters, entry.name);
    const auto known = std::ranges::find(shared, entry.backend, &Counters::backend);
    entry.counters = static_cast<std::uint32_t>(known - counters.begin());
    if (known == shared.end()) counters.push_back({entry.name, entry.backend});
  }
}

void ReadCounts::Configured::take_over(Configured& before) {
  for (Entry& entry : entries) {
    const auto place = before.names->find((*names)[entry.name]);
    if (!place) continue;
    const auto namesakes = range(before.entries, *place);
    const auto kept = std::ranges::find_if(namesakes, [&](const Entry& one) {
      return one.backend == entry.backend && *one.namespaces == *entry.namespaces &&
             one.has_labels == entry.has_labels && one.is_per_namespace == entry.is_per_namespace;
    });
    if (kept != namesakes.end()) entry.values = std::move(kept->values);
  }
  for (Counters& mine : counters) {
    const auto place = before.names->find((*names)[mine.name]);
    if (!place) continue;
    const auto namesakes = range(before.counters, *place);
    const auto kept = std::ranges::find(namesakes, mine.backend, &Counters::backend);
    if (kept == namesakes.end()) continue;
    mine.outcomes = std::move(kept->outcomes);
    mine.policies = std::move(kept->policies);
    mine.fallbacks = kept->fallbacks;
  }
}

ReadCounts::Entry* ReadCounts::find(const scalers::ReadOf& of) {
  const auto place = configured_.names->find(of.metric);
  if (!place) return nullptr;
  const auto namesakes = range(configured_.entries, *place);
  const auto found = std::ranges::find_if(namesakes, [&](const Entry& one) {
    const Namespaces& served = *one.namespaces;
    return *one.backend == of.backend &&
           (is_for_all(served) || std::ranges::find(served, of.name_space) != served.end());
  });
  return found == namesakes.end() ? nullptr : &*found;
}

ReadCounts::Counters* ReadCounts::counters_of(const scalers::ReadOf& of) {
  const Entry* entry = find(of);
  // None: a read that began before a reload took its metric away.
  return entry == nullptr ? nullptr : &configured_.counters[entry->counters];
}

void ReadCounts::count(const scalers::ReadOf& of, std::string_view outcome) {
  Counters* counters = counters_of(of);
  if (counters != nullptr) increment(counters->outcomes, outcome);
}

void ReadCounts::changed(const scalers::ReadOf& of, std::string_view policy) {
  Counters* counters = counters_of(of);
  if (counters != nullptr) increment(counters->policies, policy);
}

void ReadCounts::increment(Tallies& tallies, std::string_view word) {
  auto known = std::ranges::find(tallies, word, &Tally::word);
  if (known == tallies.end()) known = tallies.insert(tallies.end(), {word, 0});
  ++known->total;
}

void ReadCounts::fell_back(const scalers::ReadOf& of) {
  Counters* counters = counters_of(of);
  if (counters != nullptr) ++counters->fallbacks;
}

void ReadCounts::took(const scalers::ReadOf& of, std::chrono::duration<double> span) {
  const auto found = backends_.find(of.backend);
  if (found != backends_.end()) found->second->Observe(span.count());
}

void ReadCounts::value(const scalers::ReadOf& of, const scalers::Reading& reading) {
  Entry* entry = find(of);
  if (entry == nullptr || entry->has_labels) return;
  const Namespaces& served = *entry->namespaces;
  if (is_for_all(served) && entry->is_per_namespace) return;  // as many as callers invent
  const auto name_space =
      is_for_all(served) ? served.begin() : std::ranges::find(served, of.name_space);
  const auto place = static_cast<std::uint32_t>(name_space - served.begin());
  auto known = std::ranges::lower_bound(entry->values, place, {}, &Value::name_space);
  if (known == entry->values.end() || known->name_space != place)
    known = entry->values.insert(known, {place, 0, {}});
  known->last = reading.value;
  known->taken_at = reading.taken_at;
}

void ReadCounts::append_to(std::string& out, WallTime now) const {
  append_counts(out);
  append_values(out, now);
}

void ReadCounts::append_counts(std::string& out) const {
  const auto tallies =
      [&](const SeriesFamily& family, Tallies Counters::*of, std::string_view kind) {
        FamilyText text(out, family);
        for (const Counters& one : configured_.counters) {
          const std::string_view metric = (*configured_.names)[one.name];
          for (const Tally& tally : one.*of) {
            text.add({{"backend", *one.backend}, {"metric", metric}, {kind, tally.word}},
                     static_cast<double>(tally.total));
          }
        }
      };
  tallies(kTotals, &Counters::outcomes, "outcome");
  tallies(kChanges, &Counters::policies, "policy");
  FamilyText fallbacks(out, kFallbacks);
  for (const Counters& one : configured_.counters) {
    if (one.fallbacks == 0) continue;
    fallbacks.add({{"backend", *one.backend}, {"metric", (*configured_.names)[one.name]}},
                  static_cast<double>(one.fallbacks));
  }
}

void ReadCounts::append_values(std::string& out, WallTime now) const {
  const auto gauges = [&](const SeriesFamily& family, const auto& number_of) {
    FamilyText text(out, family);
    for (const Entry& entry : configured_.entries) {
      const std::string_view metric = (*configured_.names)[entry.name];
      for (const Value& value : entry.values) {
        text.add({{"metric", metric}, {"namespace", (*entry.namespaces)[value.name_space]}},
                 number_of(value));
      }
    }
  };
  gauges(kValues, [](const Value& value) { return value.last; });
  gauges(kAges, [now](const Value& value) { return age_of(value.taken_at, now); });
  gauges(kActive, [](const Value& value) { return value.last > 0 ? 1.0 : 0.0; });
}

}  // namespace weir::server
