// From documents to a World: all problems are collected before anything is built for good.
#include "scalers/read/world.hpp"

#include "scalers/read/config.hpp"
#include "scalers/read/labels.hpp"
#include "scalers/read/reader.hpp"
#include "scalers/settings/pattern.hpp"

#include <array>
#include <random>
#include <utility>
#include <variant>

namespace weir::scalers {
namespace {

constexpr std::array<SettingDoc, 2> kSections{{
    {"backends", "map", nullptr, false, "the systems to query, by name"},
    {"metrics", "list", nullptr, false, "the metrics that HPAs may read"},
}};

std::shared_ptr<const MetricIndex> index_of(const std::vector<MetricInfo>& infos) {
  std::vector<std::string_view> names;
  for (const MetricInfo& info : infos) names.emplace_back(info.name);
  return std::make_shared<const MetricIndex>(names);
}

// An outage goes on across a reload: `settle` counts from its real end, and the log does not say
// twice that the backend is down.
void share_health(std::span<const std::unique_ptr<read::ConfiguredBackend>> backends,
                  std::span<const BackendState> before) {
  for (const auto& one : backends) {
    const auto known = std::ranges::find(before, one->name, &BackendState::name);
    if (known == before.end()) continue;
    // Late answers of another server must not touch the health of this one.
    const bool is_same = known->settings == one->settings;
    // By name alone: a metric whose backend has another address recovers as well.
    if (known->failing) one->failing = known->failing;
    one->health = is_same ? known->health : std::make_shared<read::BackendHealth>(*known->health);
  }
}

// The labels of a failing read as `metric` reports them. While its file was skipped they were the
// requirements of the selector.
void bind_again(read::FailingRead& failing, const read::Metric& metric) {
  const bool is_bound = failing.filter.empty() && !failing.labels.empty();
  if (metric.selector_mode == read::SelectorMode::filter || is_bound) return;
  const auto bound = read::bind_labels(metric.labels, failing.filter);
  if (!bound || bound->size() != 1) return;
  failing.labels = read::text_of(bound->front());
  failing.filter.clear();
}

// A failure goes on where a reload gives its metric another backend, as when its file is skipped or
// valid again: the log says neither twice that it fails, nor nothing when it recovers.
void move_failures(std::span<const BackendState> before,
                   const std::vector<read::Metric>& metrics,
                   const MetricIndex& index) {
  const auto serving = [&](const read::FailingRead& failing) -> const read::Metric* {
    for (auto id = index.find(failing.metric); id; id = index.next(*id)) {
      const read::Metric& metric = metrics[static_cast<std::size_t>(*id)];
      if (metric.serves(failing.name_space)) return &metric;
    }
    return nullptr;
  };
  for (const BackendState& state : before) {
    if (!state.failing) continue;
    auto moved = state.failing->take_moved([&](const read::FailingRead& failing) {
      const read::Metric* metric = serving(failing);
      return metric != nullptr && metric->backend->failing != state.failing;
    });
    for (read::FailingReads::Failure& failure : moved) {
      const read::Metric& metric = *serving(failure.read);
      bind_again(failure.read, metric);
      metric.backend->failing->adopt(std::move(failure));
    }
  }
}

}  // namespace

std::optional<Error> selector_refusal(const MetricInfo& metric,
                                      std::span<const LabelRequirement> requirements) {
  if (metric.is_filtered) return std::nullopt;
  std::vector<read::DeclaredLabel> declared;
  for (const MetricInfo::Label& label : metric.labels) {
    // Compiled again, because a MetricInfo is a plain value. That of a World has valid patterns.
    auto compiled = Pattern::compile(label.pattern);
    if (const auto* invalid = std::get_if<Pattern::Invalid>(&compiled))
      return Error{Errc::bad_request, invalid->why, ""};
    // Whether there is a default decides, not its value.
    const auto fallback = label.has_default ? std::optional<std::string>("") : std::nullopt;
    declared.push_back({label.name, std::get<Pattern>(std::move(compiled)), fallback});
  }
  const auto bound = read::bind_labels(declared, requirements);
  return bound ? std::nullopt : std::optional<Error>(bound.error());
}

std::unique_ptr<World> World::build(std::span<const Node> documents,
                                    Loop& loop,
                                    Clients& clients,
                                    const Clock& clock,
                                    ReadObserver& observer,
                                    Problems& problems,
                                    std::span<const BackendState> before,
                                    std::span<const Node> skipped) {
  read::Builder builder({clients, clock, loop}, problems);
  // All backends before the first metric, which may name a backend of a later document.
  for (const Node& document : documents) {
    if (check_keys(document, kSections, "configuration", problems) &&
        document.find("backends") != nullptr) {
      builder.add_backends(*document.find("backends"));
    }
  }
  for (const Node& document : skipped) builder.add_skipped(document);
  for (const Node& document : documents) {
    if (const Node* metrics = document.find("metrics")) builder.add_metrics(*metrics);
  }
  builder.add_skipped_metrics();
  builder.check_names();
  // From here on every metric has its backend, its scaler and its namespaces.
  if (!problems.empty()) return nullptr;
  auto infos = builder.infos();
  auto index = index_of(infos);
  auto backends = builder.take_backends();
  auto metrics = builder.take_metrics();
  share_health(backends, before);
  move_failures(before, metrics, *index);
  // Each replica has another seed, so that they do not repeat failed queries at the same instant.
  auto reader = std::make_shared<read::Reader>(loop,
                                               clock,
                                               observer,
                                               std::move(backends),
                                               std::move(metrics),
                                               index,
                                               std::random_device{}());
  auto list = [reader] { return reader->backends(); };
  return std::make_unique<World>(reader,
                                 reader,
                                 std::move(infos),
                                 std::move(index),
                                 std::move(list));
}

}  // namespace weir::scalers
