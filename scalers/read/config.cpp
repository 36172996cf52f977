// The entries of `backends` and `metrics`, apart from the kinds' own blocks, which each kind reads
// itself: every problem of a file is found in one pass.
#include "scalers/read/config.hpp"

#include "scalers/catalog.hpp"
#include "scalers/kind_block.hpp"
#include "scalers/read/policies/settings.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/text/dns_label.hpp"
#include "scalers/text/key_writer.hpp"
#include "scalers/text/suggest.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace weir::scalers::read {
namespace {

// Well below the 60 s after which the kube-apiserver gives up, so that the caller gets the error of
// Weir.
constexpr Duration kLongestDeadline{30'000};

// What every backend has, whatever its kind.
struct BackendLimits {
  std::uint32_t max_in_flight = 8;
  std::uint32_t max_waiting = 1000;
};

constexpr std::array kBackendTable{
    setting<&BackendLimits::max_in_flight>(
        "maxInFlight",
        "the most queries in flight to the backend; one namespace has at most three quarters of "
        "them (from 2 on)"),
    setting<&BackendLimits::max_waiting>(
        "maxWaiting",
        "the most queries that wait for a place among them; more are refused at once (429)"),
};

// What every metric has, whatever its kind; labels are read by hand.
struct MetricSettings {
  std::string name;
  std::vector<std::string> namespaces;
  // A third of the 15 s between two reads of an HPA: each of its reads gets a newer number, and
  // HPAs that read the same metric meanwhile share the query.
  Duration freshness{5000};
  // A read that hangs occupies one of the HPA controller's workers, five by default, which all HPAs
  // of the cluster share.
  Duration deadline{2500};
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::name>("name", "what the HPA writes in external.metric.name"),
    required_setting<&MetricSettings::namespaces>(
        "namespaces",
        "the namespaces whose HPAs may read the metric, such as [ml-inference], or ['*'] for all"),
    setting<&MetricSettings::freshness>("freshness", "how old a cached value may be"),
    setting<&MetricSettings::deadline>("deadline", "how long a read may take, at most 30s"),
};

// Not in the table, because its keys are the author's own.
constexpr SettingDoc kLabelsDoc{
    "labels",
    "map",
    nullptr,
    false,
    "labels that the HPA's selector may set, each with the RE2 pattern its whole value must "
    "match, or {pattern: P, default: V}; the block uses them as $(label)"};

// The content of a block, without its place in the file.
void add_content(KeyWriter& out, const Node& node) {
  out.add(static_cast<std::uint32_t>(node.kind));
  out.add(node.text);
  out.add(static_cast<std::uint32_t>(node.items.size()));
  for (const Node& item : node.items) add_content(out, item);
  out.add(static_cast<std::uint32_t>(node.fields.size()));
  for (const Node::Field& field : node.fields) {
    out.add(field.key);
    add_content(out, field.value);
  }
}

}  // namespace

bool overlap(const Metric& one, const Metric& two) {
  // An empty list is reported by its own check, and its metric serves nobody.
  if (one.namespaces.empty() || two.namespaces.empty()) return false;
  if (two.namespaces.front() == "*") return true;
  return std::ranges::any_of(two.namespaces, [&](const auto& name) { return one.serves(name); });
}

void Builder::add_backends(const Node& section) {
  if (section.kind != Node::Kind::map) {
    return problems_.add(section.mark, "backends is a map from a backend's name to its settings");
  }
  for (const Node::Field& field : section.fields) {
    const auto first =
        std::ranges::find_if(backends_, [&](const auto& one) { return one->name == field.key; });
    if (first != backends_.end()) {
      problems_.add(field.mark,
                    fmt::format("duplicate backend {} (first at {}:{}); give each its own name",
                                field.key,
                                (*first)->mark.file,
                                (*first)->mark.line));
      continue;
    }
    // The keys are checked here and the rows are read one by one, because read_settings() would
    // refuse the kind's own block as an unknown key.
    if (!check_entry_keys(field.value, common_backend_settings(), EntryOf::backend, problems_))
      continue;
    BackendLimits limits;
    for (const auto& row : kBackendTable) {
      if (const Node* value = field.value.find(row.name)) row.read(*value, limits, problems_);
    }
    const KindBlock found = find_block(field.value, EntryOf::backend, problems_);
    // Also a backend with problems, so that its metrics are not reported as without a backend.
    auto backend = std::make_unique<ConfiguredBackend>();
    backend->name = field.key;
    backend->mark = field.mark;
    backend->limiter = std::make_shared<ConcurrencyLimiter>(context_.loop,
                                                            limits.max_in_flight,
                                                            limits.max_waiting);
    if (found.kind != nullptr) {
      backend->kind = found.kind->name;
      KeyWriter content(256);
      add_content(content, *found.block);
      make_backend(*found.kind, *found.block, *backend);
      for (const LocalFile& file : *backend->files)
        content.add(static_cast<std::uint32_t>(file.shape));
      backend->settings =
          std::hash<std::string>{}(std::string(found.kind->name) + std::move(content).take());
    }
    backends_.push_back(std::move(backend));
  }
}

void Builder::add_metrics(const Node& section) {
  if (section.kind != Node::Kind::list) {
    return problems_.add(section.mark,
                         "metrics is a list: start each metric with a dash, as in - name: ...");
  }
  for (const Node& node : section.items) add_metric(node);
}

void Builder::add_metric(const Node& node) {
  if (!check_entry_keys(node, common_metric_settings(), EntryOf::metric, problems_)) return;
  const KindBlock found = find_block(node, EntryOf::metric, problems_);
  Metric metric = read_common(node);
  // After read_common(), which finds the problems of the common keys whatever the kind.
  if (found.kind == nullptr) return;
  metric.backend = found.kind->has_backends() ? find_backend(*found.block, *found.kind)
                                              : common_backend(node, *found.kind);
  std::vector<std::string> declared;
  for (const DeclaredLabel& label : metric.labels) declared.push_back(label.name);
  ParameterNames names(std::move(declared));
  const bool has_backend = metric.backend != nullptr && metric.backend->backend != nullptr;
  // An unavailable backend checks nothing, because it is of no kind.
  if (!has_backend || metric.backend->is_unavailable)
    found.kind->check_metric(*found.block, names, problems_);
  if (has_backend) {
    metric.scaler = metric.backend->backend->make_scaler(*found.block, names, problems_);
  }
  // A label that nothing uses would let a selector choose and change nothing.
  for (const std::string& unused : names.unused()) {
    problems_.add(
        node.find("labels")->mark,
        fmt::format("label {0} is declared but nothing uses $({0}): every value would get "
                    "the same number",
                    unused));
  }
  metric.is_per_namespace = names.is_used(kNamespaceParameter);
  metric.needs_dns_label = names.needs_dns_label();
  metrics_.push_back(std::move(metric));
}

// What every metric has, whatever its kind.
Metric Builder::read_common(const Node& node) {
  MetricSettings settings;
  for (const auto& row : kMetricTable) {
    if (const Node* value = node.find(row.name)) row.read(*value, settings, problems_);
  }
  Metric metric;
  metric.name = settings.name;
  metric.mark = node.mark;
  metric.namespaces = settings.namespaces;
  metric.freshness = settings.freshness;
  metric.deadline = settings.deadline;
  for (const auto& row : kPolicyTable) {
    if (const Node* value = node.find(row.name)) row.read(*value, metric.policies, problems_);
  }
  check_policies(node, metric.policies, problems_);
  if (const Node* name = node.find("name")) check_metric_name(*name);
  if (const Node* list = node.find("namespaces")) check_namespaces(*list, metric);
  // Before the kind's block is read, which may use them as parameters.
  if (const Node* labels = node.find(kLabelsDoc.name)) {
    metric.labels = read_labels(*labels, problems_);
  }
  if (metric.deadline > kLongestDeadline) {
    problems_.add(node.find("deadline")->mark, "a deadline is at most 30s");
  }
  return metric;
}

void Builder::check_metric_name(const Node& name) {
  const std::string& text = name.text;
  // For such a path Kubernetes sees the resource `namespaces` and a subresource: the
  // permission to read the metric would not count.
  if (text == "status" || text == "finalize") {
    problems_.add(
        name.mark,
        fmt::format("the name {} is reserved: Kubernetes reads it as a part of the namespace",
                    text));
  } else if (text == "." || text == ".." || text.find_first_of("/%") != text.npos) {
    problems_.add(
        name.mark,
        fmt::format(
            "the name \"{}\" is not valid in a url path; do not use /, % or the names . and ..",
            text));
  }
}

void Builder::check_namespaces(const Node& list, Metric& metric) {
  const bool has_all = std::ranges::find(metric.namespaces, "*") != metric.namespaces.end();
  if (has_all && metric.namespaces.size() > 1) {
    problems_.add(list.mark, "'*' means every namespace: write it alone");
  }
  for (const Node& item : list.items) {
    if (item.text == "*" || is_dns_label(item.text)) continue;
    problems_.add(
        item.mark,
        fmt::format("\"{}\" is not a namespace: lower-case letters, digits and -", item.text));
  }
  // Metric::serves() searches in it by halves.
  std::ranges::sort(metric.namespaces);
}

ConfiguredBackend* Builder::find_backend(const Node& block, const ScalerKind& kind) {
  const Node* name = block.find("backend");
  if (name == nullptr) return nullptr;  // the kind's own table says that it is missing
  std::vector<std::string_view> names;
  for (const auto& backend : backends_) names.push_back(backend->name);
  const auto found = std::ranges::find(names, name->text);
  if (found == names.end()) {
    problems_.add(
        name->mark,
        fmt::format("there is no backend \"{}\"{}", name->text, did_you_mean(name->text, names)));
    return nullptr;
  }
  ConfiguredBackend* backend = backends_[static_cast<std::size_t>(found - names.begin())].get();
  // A backend without a kind has been reported; its metrics have no fault.
  if (backend->kind == kind.name || backend->kind.empty()) return backend;
  problems_.add(name->mark,
                fmt::format("the backend {} is of kind {}; a {} metric cannot use it",
                            name->text,
                            backend->kind,
                            kind.name));
  return nullptr;
}

ConfiguredBackend* Builder::common_backend(const Node& metric, const ScalerKind& kind) {
  const auto found =
      std::ranges::find_if(backends_, [&](const auto& one) { return one->name == kind.name; });
  if (found != backends_.end()) {
    if ((*found)->kind == kind.name) return found->get();
    // They would be one in telemetry and in errors.
    problems_.add(metric.mark,
                  fmt::format("metrics of kind {0} need the name {0}, which a backend has; give "
                              "that backend another name",
                              kind.name));
    return nullptr;
  }
  auto backend = std::make_unique<ConfiguredBackend>();
  backend->name = kind.name;
  backend->kind = kind.name;
  backend->settings = std::hash<std::string_view>{}(kind.name);
  const BackendLimits limits;
  backend->limiter =
      std::make_shared<ConcurrencyLimiter>(context_.loop, limits.max_in_flight, limits.max_waiting);
  make_backend(kind, Node{}, *backend);
  backends_.push_back(std::move(backend));
  return backends_.back().get();
}

void Builder::check_names() {
  // By name, so that ten thousand metrics are not compared with each other.
  std::map<std::string, std::vector<std::size_t>> seen;
  for (std::size_t later = 0; later < metrics_.size(); ++later) {
    auto& namesakes = seen[lower_case(metrics_[later].name)];
    for (const std::size_t earlier : namesakes) {
      const Mark& mark = metrics_[earlier].mark;
      if (metrics_[earlier].name != metrics_[later].name) {
        problems_.add(
            metrics_[later].mark,
            fmt::format("the metric {} differs from {} (first at {}:{}) in case alone, and an "
                        "HPA reads both in lower case; use one spelling",
                        metrics_[later].name,
                        metrics_[earlier].name,
                        mark.file,
                        mark.line));
        break;
      }
      if (!overlap(metrics_[earlier], metrics_[later])) continue;
      problems_.add(
          metrics_[later].mark,
          fmt::format(
              "duplicate metric {} (first at {}:{}): their namespaces overlap; metrics may share a "
              "name only with disjoint namespaces",
              metrics_[later].name,
              mark.file,
              mark.line));
      break;
    }
    namesakes.push_back(later);
  }
}

// Called for a configuration without problems alone: every metric has its backend.
std::vector<MetricInfo> Builder::infos() const {
  std::vector<MetricInfo> out;
  for (const Metric& metric : metrics_) {
    MetricInfo& info = out.emplace_back();
    info.name = metric.name;
    info.namespaces = metric.namespaces;
    info.backend = metric.backend->name;
    info.is_per_namespace = metric.is_per_namespace;
    info.is_filtered = metric.selector_mode == SelectorMode::filter;
    info.kind = metric.backend->kind;
    info.has_empty = metric.policies.empty.number.has_value();
    for (const DeclaredLabel& label : metric.labels)
      info.labels.push_back({label.name, label.fallback.has_value(), label.pattern.text()});
  }
  return out;
}

}  // namespace weir::scalers::read

namespace weir::scalers {

std::vector<SettingDoc> common_backend_settings() {
  return {read::kBackendTable.begin(), read::kBackendTable.end()};
}

std::vector<SettingDoc> common_metric_settings() {
  std::vector<SettingDoc> out(read::kMetricTable.begin(), read::kMetricTable.end());
  out.insert(out.end(), read::kPolicyTable.begin(), read::kPolicyTable.end());
  out.push_back(read::kLabelsDoc);
  return out;
}

}  // namespace weir::scalers
