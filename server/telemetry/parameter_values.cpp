// The labels of a parameter set: Kubernetes allows more in a label's name than Prometheus does, so
// the names are changed as kube-state-metrics changes them.
#include "server/telemetry/parameter_values.hpp"

#include <fmt/format.h>

#include <cctype>
#include <set>
#include <utility>

namespace weir::server {
namespace {

// One allocation is enough for most keys.
constexpr std::size_t kTypicalKeyBytes = 120;

// "label_" and the name with _ in place of what Prometheus does not allow; a name that two labels
// would share gets a number.
std::vector<SeriesLabel> series_labels(const scalers::Labels& parameters,
                                       std::vector<std::string>& names) {
  std::set<std::string> used;
  for (const auto& [name, value] : parameters) {
    std::string text = "label_" + name;
    for (char& c : text)
      // Prometheus' label names have letters, digits and underscores only.
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    std::string unique = text;
    for (int n = 1; !used.insert(unique).second; ++n)
      unique = fmt::format("{}_conflict{}", text, n);
    names.push_back(std::move(unique));
  }
  // A second loop, because the labels refer to `names`, whose strings move while it grows.
  std::vector<SeriesLabel> out;
  std::size_t i = 0;
  for (const auto& [name, value] : parameters) out.push_back({names[i++], value});
  return out;
}

std::string labels_text(const scalers::Labels& parameters,
                        std::string_view metric,
                        std::string_view name_space) {
  std::vector<std::string> names;
  auto labels = series_labels(parameters, names);
  labels.push_back({"metric", metric});
  labels.push_back({"namespace", name_space});
  // append_labels() needs the order of the names.
  std::ranges::sort(labels, {}, &SeriesLabel::name);
  std::string out;
  append_labels(out, labels);
  return out;
}

}  // namespace

ParameterValues::ParameterValues(std::size_t capacity)
    : capacity_(capacity),
      values_(std::max<std::size_t>(capacity, 1), std::max<std::size_t>(capacity / 5, 1)),
      key_(kTypicalKeyBytes) {}

void ParameterValues::set(FamilyId family,
                          const scalers::ReadOf& of,
                          const scalers::Reading& reading,
                          bool is_any_namespace) {
  // An Lru has a capacity of 1 at least.
  if (capacity_ == 0) return;
  const std::string_view name_space = is_any_namespace ? "*" : of.name_space;
  key_.clear();
  key_.add(family);
  key_.add(name_space);
  for (const auto& [name, value] : reading.labels) {
    key_.add(name);
    key_.add(value);
  }
  if (Value* known = values_.find(key_.view())) {
    known->value = reading.value;
    known->taken_at = reading.taken_at;
    known->reported_before = page_;
    return;
  }
  if (!has_room(of.name_space)) return;
  // The partition is the namespace of the caller also for a value of every namespace, so that a
  // namespace with many sets evicts its own.
  values_.put(std::string(key_.view()),
              std::string(of.name_space),
              {family,
               std::string(of.backend),
               std::string(of.metric),
               std::string(of.name_space),
               labels_text(reading.labels, of.metric, name_space),
               reading.value,
               reading.taken_at,
               page_});
}

bool ParameterValues::has_room(std::string_view name_space) {
  if (full_before_ == page_) return false;
  const Value* victim = values_.victim(name_space);
  if (victim == nullptr) return true;
  const bool is_reported = victim->reported_before == page_;
  if (!is_reported && page_at_ - victim->reported_at >= kReplaceable) return true;
  // That of another namespace is the victim of every namespace whose share is not full.
  if (victim->name_space != name_space) full_before_ = page_;
  return false;
}

}  // namespace weir::server
