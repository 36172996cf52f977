// The replica formula of the HPA controller (kube-controller-manager, replica_calculator.go).
#include "server/kube/objects/hpa.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "apiservice/meta/label_selector.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>
#include <set>
#include <utility>

namespace weir::apiservice {
namespace {

using Json = nlohmann::json;
using scalers::Errc;
using scalers::Error;

constexpr double kMaxReplicas = 2'147'483'647;  // an int32

// The value at the path; null for an absent one, so that callers need no check for each level.
const Json& at(const Json& object, std::initializer_list<const char*> path) {
  static const Json kNull;
  const Json* node = &object;
  for (const char* key : path) {
    if (!node->is_object() || !node->contains(key)) return kNull;
    node = &(*node)[key];
  }
  return *node;
}

std::string text_at(const Json& object, std::initializer_list<const char*> path) {
  const Json& value = at(object, path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t whole_at(const Json& object,
                      std::initializer_list<const char*> path,
                      std::int64_t absent) {
  const Json& value = at(object, path);
  return value.is_number_integer() ? value.get<std::int64_t>() : absent;
}

// The tolerance in spec.behavior is a field of Kubernetes 1.33 and later.
double tolerance_at(const Json& hpa, const char* direction) {
  const std::string text = text_at(hpa, {"spec", "behavior", direction, "tolerance"});
  return parse_quantity(text).value_or(kDefaultTolerance);
}

// One matchExpression as text, such as "key in (a,b)". The values are sorted, as in Kubernetes. The
// texts are those of labels.Requirement.String() in apimachinery.
std::string requirement_text(const Json& expression) {
  std::string key = text_at(expression, {"key"});
  const std::string wanted = text_at(expression, {"operator"});
  if (wanted == "Exists") return key;
  if (wanted == "DoesNotExist") return "!" + key;
  std::set<std::string> values;
  for (const Json& value : at(expression, {"values"}))
    if (value.is_string()) values.insert(value.get<std::string>());
  return fmt::format("{} {} ({})", key, wanted == "NotIn" ? "notin" : "in", fmt::join(values, ","));
}

std::string text_of_selector(const Json& selector) {
  // A multimap, because a key may be in matchLabels and in several matchExpressions.
  std::multimap<std::string, std::string> by_key;
  for (const auto& [key, value] : at(selector, {"matchLabels"}).items())
    if (value.is_string()) by_key.emplace(key, key + "=" + value.get<std::string>());
  for (const Json& expression : at(selector, {"matchExpressions"}))
    by_key.emplace(text_at(expression, {"key"}), requirement_text(expression));
  return fmt::format("{}", fmt::join(std::views::values(by_key), ","));
}

std::vector<BadLabel> bad_labels_of(const Json& selector) {
  std::vector<BadLabel> out;
  const auto add_key = [&](const std::string& key) {
    if (!is_label_key(key)) out.push_back({key, std::nullopt});
  };
  const auto add_value = [&](const std::string& key, const Json& value) {
    const std::string text = value.is_string() ? value.get<std::string>() : std::string();
    if (!is_label_value(text)) out.push_back({key, text});
  };
  for (const auto& [key, value] : at(selector, {"matchLabels"}).items()) {
    add_key(key);
    add_value(key, value);
  }
  for (const Json& expression : at(selector, {"matchExpressions"})) {
    const std::string key = text_at(expression, {"key"});
    add_key(key);
    for (const Json& value : at(expression, {"values"})) add_value(key, value);
  }
  return out;
}

}  // namespace

std::vector<BadLabel> bad_labels(std::string_view json) {
  return bad_labels_of(Json::parse(json, nullptr, false));
}

std::string text_of(const BadLabel& label) {
  constexpr std::string_view kRule =
      "at most 63 letters, digits, -, _ and ., with a letter or digit at both ends";
  if (label.value) {
    return fmt::format("no label can have the value \"{}\" of {} (a value has {})",
                       *label.value,
                       label.key,
                       kRule);
  }
  return fmt::format(
      "no label can have the key \"{}\" (a key has {}, after an optional DNS name and /)",
      label.key,
      kRule);
}

std::string selector_text(std::string_view json) {
  return text_of_selector(Json::parse(json, nullptr, false));
}

scalers::Result<HpaMetric> parse_hpa(std::string_view json, const std::string& metric) {
  const Json hpa = Json::parse(json, nullptr, false);
  const Json& metrics = at(hpa, {"spec", "metrics"});
  // A Status and the response of a proxy may be JSON objects too.
  if (text_at(hpa, {"kind"}) != "HorizontalPodAutoscaler" || !metrics.is_array())
    return Error{Errc::bad_reply, "the response is not a HorizontalPodAutoscaler with metrics", ""};
  for (const Json& item : metrics) {
    const std::string name = text_at(item, {"external", "metric", "name"});
    if (!scalers::equal_ignoring_case(name, metric)) continue;
    const bool is_average = text_at(item, {"external", "target", "type"}) == "AverageValue";
    const std::string quantity =
        text_at(item, {"external", "target", is_average ? "averageValue" : "value"});
    const auto target = parse_quantity(quantity);
    // The kube-apiserver accepts only positive targets. 0 would divide by zero in the formula.
    if (!target || *target <= 0) {
      return Error{
          Errc::bad_reply,
          fmt::format("the target \"{}\" of that metric is not a quantity above 0", quantity),
          ""};
    }
    // An absent minReplicas means 1 in Kubernetes. An HPA without a status has no replicas yet.
    return HpaMetric{.is_average = is_average,
                     .target = *target,
                     .quantity = quantity,
                     .selector = text_of_selector(at(item, {"external", "metric", "selector"})),
                     .current_replicas = whole_at(hpa, {"status", "currentReplicas"}, 0),
                     .min_replicas = whole_at(hpa, {"spec", "minReplicas"}, 1),
                     .max_replicas = whole_at(hpa, {"spec", "maxReplicas"}, 1),
                     .up_tolerance = tolerance_at(hpa, "scaleUp"),
                     .down_tolerance = tolerance_at(hpa, "scaleDown"),
                     .bad_labels = bad_labels_of(at(item, {"external", "metric", "selector"}))};
  }
  return Error{Errc::unknown_object,
               fmt::format("the HPA has no external metric \"{}\"", metric),
               ""};
}

ImpliedReplicas implied_replicas(const HpaMetric& metric, double value) {
  const auto replicas = static_cast<double>(metric.current_replicas);
  ImpliedReplicas out{std::nullopt, false, 0, 0};
  // As the controller: AverageValue divides by the replicas only for the tolerance.
  const double whole = value / metric.target;
  if (metric.current_replicas > 0) {
    out.ratio = metric.is_average ? whole / replicas : whole;
    out.is_within_tolerance =
        *out.ratio >= 1 - metric.down_tolerance && *out.ratio <= 1 + metric.up_tolerance;
  }
  // At 0 replicas both target types use the ratio alone, because a product with 0 would never scale
  // up. Value multiplies by the ready pods in the controller; here all replicas count as ready.
  double wanted = std::ceil(whole);
  if (!metric.is_average && metric.current_replicas > 0) wanted = std::ceil(whole * replicas);
  if (out.is_within_tolerance) wanted = replicas;
  // From Kubernetes 1.34 the controller takes a negative sum for an overflow and makes it the
  // largest int64.
  if (metric.is_average && value < 0) wanted = kMaxReplicas;
  // Clamped before the cast, because a double above the range is undefined as an integer.
  out.wanted = static_cast<std::int64_t>(std::clamp(wanted, 0.0, kMaxReplicas));
  // std::clamp() is undefined when the lower bound is above the upper one.
  const std::int64_t least = std::min(metric.min_replicas, metric.max_replicas);
  out.bounded = std::clamp(out.wanted, least, metric.max_replicas);
  return out;
}

}  // namespace weir::apiservice
