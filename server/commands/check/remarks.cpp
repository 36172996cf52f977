// Apart from the checks of a load, because these configurations work, or did before: a reload must
// not refuse them.
#include "server/commands/check/remarks.hpp"

#include "apiservice/meta/label_selector.hpp"
#include "scalers/catalog.hpp"
#include "scalers/settings/pattern.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <string_view>
#include <variant>

namespace weir::server {
namespace {

using scalers::MetricInfo;
using scalers::Pattern;

std::string name_of(const MetricInfo& metric) {
  return fmt::format("{}/{}", metric.namespaces.front(), metric.name);
}

std::string line(std::string_view word, std::string_view object, std::string_view text) {
  return fmt::format("{:<10} {}: {}", word, object, text);
}

// A byte that is a label value by itself may be within one, and so may -, _ and . in its middle.
bool is_label_byte(char c) {
  return apiservice::is_label_value(std::string_view(&c, 1)) || c == '-' || c == '_' || c == '.';
}

// Whether a selector can set the label, as far as the pattern shows. A value of a label is more
// than its bytes (63 at most, letters or digits at both ends), which is checked of a pattern
// without operators alone.
bool can_be_set(const MetricInfo::Label& label) {
  const auto compiled = Pattern::compile(label.pattern);
  const auto* pattern = std::get_if<Pattern>(&compiled);
  // A World has valid patterns alone.
  if (pattern == nullptr) return true;
  const auto literal = pattern->literal();
  return literal ? apiservice::is_label_value(*literal) : pattern->may_match_bytes(is_label_byte);
}

void add_labels(const MetricInfo& metric, std::vector<std::string>& out) {
  for (const MetricInfo::Label& label : metric.labels) {
    if (can_be_set(label)) continue;
    out.push_back(line(
        "warning",
        name_of(metric),
        fmt::format("no label can have a value that matches the pattern {} of label {}, so {}; "
                    "write the value into the query, in a metric of its own without the label",
                    label.pattern,
                    label.name,
                    label.has_default ? "the label always has its default"
                                      : "no HPA can read the metric")));
  }
}

// The HPA's client writes names into the path in lower case. The API matches them without regard to
// case, but RBAC compares a resourceName as it is written.
void add_name(const MetricInfo& metric, std::vector<std::string>& out) {
  const std::string asked = scalers::lower_case(metric.name);
  if (asked == metric.name) return;
  out.push_back(line("note",
                     name_of(metric),
                     fmt::format("an HPA reads it as {}; names are matched without regard to case, "
                                 "but a Role's resources must be in lower case",
                                 asked)));
}

// One line for all metrics of a kind, because a configuration may have thousands.
void add_empty(const scalers::ScalerKind& kind,
               std::span<const MetricInfo> metrics,
               std::vector<std::string>& out) {
  std::string first;
  std::size_t others = 0;
  for (const MetricInfo& metric : metrics) {
    if (!metric.has_empty || metric.kind != kind.name) continue;
    if (first.empty()) {
      first = name_of(metric);
    } else {
      ++others;
    }
  }
  if (first.empty()) return;
  const std::string object = others == 0 ? first : fmt::format("{} and {} more", first, others);
  // A setting without effect is a mistake; what another one does is good to know.
  out.push_back(line(kind.empty_covers.empty() ? "warning" : "note", object, empty_text(kind)));
}

}  // namespace

std::vector<std::string> remarks_on(std::span<const MetricInfo> metrics) {
  std::vector<std::string> out;
  for (const MetricInfo& metric : metrics) {
    add_name(metric, out);
    add_labels(metric, out);
  }
  for (const scalers::ScalerKind& kind : scalers::catalog()) add_empty(kind, metrics, out);
  return out;
}

std::vector<std::string> remarks_on_backends(std::span<const scalers::BackendState> backends) {
  std::vector<std::string> out;
  for (const scalers::BackendState& backend : backends) {
    for (const std::string& remark : backend.remarks)
      out.push_back(line("warning", "backend " + backend.name, remark));
  }
  return out;
}

std::vector<std::string> remarks_on_proxies(std::span<const scalers::BackendState> backends,
                                            const scalers::clients::ProxyRules& proxies) {
  std::vector<std::string> out;
  for (const std::string& problem : proxies.problems())
    out.push_back(line("warning", "environment", problem));
  for (const scalers::BackendState& backend : backends) {
    // A direct connection is what a reader expects.
    if (backend.proxy.empty() || backend.proxy.starts_with("none ")) continue;
    out.push_back(line("note", "backend " + backend.name, "it uses the proxy " + backend.proxy));
  }
  return out;
}

}  // namespace weir::server
