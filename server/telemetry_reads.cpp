#include "server/telemetry_reads.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace weir::server {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

const prometheus::Histogram::BucketBoundaries& seconds() {
  static const prometheus::Histogram::BucketBoundaries
      kSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  return kSeconds;
}

bool serves(const scalers::MetricInfo& metric, const scalers::ReadOf& of) {
  const auto& names = metric.namespaces;
  return metric.backend == of.backend &&
         (names.front() == "*" || std::ranges::find(names, of.name_space) != names.end());
}

bool is_same(const scalers::MetricInfo& left, const scalers::MetricInfo& right) {
  return left.name == right.name && left.namespaces == right.namespaces &&
         left.backend == right.backend && left.labels.empty() == right.labels.empty() &&
         left.is_per_namespace == right.is_per_namespace;
}

}  // namespace

ReadCounts::ReadCounts(prometheus::Registry& registry)
    : totals_(BuildCounter()
                  .Name("weir_query_total")
                  .Help("Answers of reads by what they came to: asked of the backend (ok or what "
                        "failed), cached (a kept answer) or shared (an identical read under way).")
                  .Register(registry)),
      changes_(BuildCounter()
                   .Name("weir_policy_total")
                   .Help("Reads whose number a policy of the metric changed.")
                   .Register(registry)),
      fallbacks_(BuildCounter()
                     .Name("weir_fallback_total")
                     .Help("Reads answered with the number of the metric's fallback in place of an "
                           "error.")
                     .Register(registry)),
      durations_(BuildHistogram()
                     .Name("weir_query_duration_seconds")
                     .Help("Seconds that a backend took for a question, without the wait for a "
                           "turn.")
                     .Register(registry)),
      values_(BuildGauge()
                  .Name("weir_value")
                  .Help("The last value of a metric without parameters, after its policies.")
                  .Register(registry)),
      ages_(BuildGauge()
                .Name("weir_value_age_seconds")
                .Help("How long ago the last value was taken: it grows while reads fail, and while "
                      "nobody reads.")
                .Register(registry)),
      active_(BuildGauge()
                  .Name("weir_metric_active")
                  .Help("1 when the last value is above 0, else 0.")
                  .Register(registry)) {}

void ReadCounts::set_metrics(const std::vector<scalers::MetricInfo>& metrics) {
  auto before = std::exchange(entries_, {});
  std::set<std::string_view> backends;
  for (const scalers::MetricInfo& info : metrics) {
    backends.insert(info.backend);
    const auto [first, last] = before.equal_range(info.name);
    const auto kept =
        std::find_if(first, last, [&](const auto& one) { return is_same(one.second.info, info); });
    if (kept == last) {
      entries_.emplace(info.name, Entry{info, &counters_[{info.backend, info.name}], {}});
    } else {
      entries_.insert(before.extract(kept));
    }
  }
  for (const auto& [name, entry] : before) end(entry);
  end_counters_but_of(metrics);
  std::erase_if(backends_, [&](const auto& one) {
    const bool is_gone = !backends.contains(one.first);
    if (is_gone) durations_.Remove(one.second);
    return is_gone;
  });
  for (const std::string_view name : backends) {
    const std::string text(name);
    backends_.try_emplace(text, &durations_.Add({{"backend", text}}, seconds()));
  }
}

ReadCounts::Entry* ReadCounts::find(const scalers::ReadOf& of) {
  const auto [first, last] = entries_.equal_range(of.metric);
  const auto found =
      std::find_if(first, last, [&](const auto& one) { return serves(one.second.info, of); });
  return found == last ? nullptr : &found->second;
}

void ReadCounts::count(const scalers::ReadOf& of, std::string_view outcome) {
  Entry* entry = find(of);
  if (entry == nullptr) return;  // a read that began before a reload took its metric away
  increment(totals_, entry->counters->by_outcome, entry->info, "outcome", outcome);
}

void ReadCounts::changed(const scalers::ReadOf& of, std::string_view policy) {
  Entry* entry = find(of);
  if (entry != nullptr)
    increment(changes_, entry->counters->by_policy, entry->info, "policy", policy);
}

void ReadCounts::increment(prometheus::Family<prometheus::Counter>& family,
                           ByWord& counters,
                           const scalers::MetricInfo& info,
                           const char* name,
                           std::string_view word) {
  auto known = counters.find(word);
  if (known == counters.end()) {
    const std::string text(word);
    prometheus::Counter& made =
        family.Add({{"backend", info.backend}, {"metric", info.name}, {name, text}});
    known = counters.emplace(text, &made).first;
  }
  known->second->Increment();
}

void ReadCounts::fell_back(const scalers::ReadOf& of) {
  Entry* entry = find(of);
  if (entry == nullptr) return;
  prometheus::Counter*& counter = entry->counters->fallbacks;
  if (counter == nullptr) {
    counter = &fallbacks_.Add({{"backend", entry->info.backend}, {"metric", entry->info.name}});
  }
  counter->Increment();
}

void ReadCounts::took(const scalers::ReadOf& of, std::chrono::duration<double> span) {
  const auto found = backends_.find(of.backend);
  if (found != backends_.end()) found->second->Observe(span.count());
}

void ReadCounts::value(const scalers::ReadOf& of, const scalers::Reading& reading) {
  Entry* entry = find(of);
  if (entry == nullptr || !entry->info.labels.empty()) return;
  const bool is_for_all = entry->info.namespaces.front() == "*";
  if (is_for_all && entry->info.is_per_namespace) return;  // as many values as callers invent
  const std::string_view name_space = is_for_all ? "*" : of.name_space;
  auto known = entry->by_namespace.find(name_space);
  if (known == entry->by_namespace.end()) {
    const std::string text(name_space);
    known = entry->by_namespace.emplace(text, make_value(entry->info.name, text)).first;
  }
  Value& value = known->second;
  value.last->Set(reading.value);
  value.is_active->Set(reading.value > 0 ? 1 : 0);
  value.taken_at = reading.taken_at;
}

ReadCounts::Value ReadCounts::make_value(const std::string& metric, const std::string& name_space) {
  const prometheus::Labels labels{{"namespace", name_space}, {"metric", metric}};
  return {&values_.Add(labels), &ages_.Add(labels), &active_.Add(labels), {}};
}

void ReadCounts::refresh(WallTime now) {
  for (auto& [name, entry] : entries_) {
    for (auto& [name_space, value] : entry.by_namespace) {
      const std::chrono::duration<double> age = now - value.taken_at;
      value.age->Set(std::max(0.0, age.count()));
    }
  }
}

void ReadCounts::end_counters_but_of(const std::vector<scalers::MetricInfo>& metrics) {
  std::set<std::pair<std::string, std::string>> kept;
  for (const scalers::MetricInfo& info : metrics) kept.emplace(info.backend, info.name);
  std::erase_if(counters_, [&](const auto& one) {
    if (kept.contains(one.first)) return false;
    for (const auto& [outcome, counter] : one.second.by_outcome) totals_.Remove(counter);
    for (const auto& [policy, counter] : one.second.by_policy) changes_.Remove(counter);
    if (one.second.fallbacks != nullptr) fallbacks_.Remove(one.second.fallbacks);
    return true;
  });
}

void ReadCounts::end(const Entry& entry) {
  for (const auto& [name_space, value] : entry.by_namespace) {
    values_.Remove(value.last);
    ages_.Remove(value.age);
    active_.Remove(value.is_active);
  }
}

}  // namespace weir::server
