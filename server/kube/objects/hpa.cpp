#include "server/kube/objects/hpa.hpp"

#include "apiservice/encoding/quantity.hpp"

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

constexpr double kMostReplicas = 2'147'483'647;  // an int32

const Json& at(const Json& object, std::initializer_list<const char*> path) {
  static const Json kNull;
  const Json* here = &object;
  for (const char* key : path) {
    if (!here->is_object() || !here->contains(key)) return kNull;
    here = &(*here)[key];
  }
  return *here;
}

std::string text_at(const Json& object, std::initializer_list<const char*> path) {
  const Json& found = at(object, path);
  return found.is_string() ? found.get<std::string>() : std::string();
}

std::int64_t whole_at(const Json& object,
                      std::initializer_list<const char*> path,
                      std::int64_t absent) {
  const Json& found = at(object, path);
  return found.is_number_integer() ? found.get<std::int64_t>() : absent;
}

double tolerance_at(const Json& hpa, const char* direction) {
  const std::string text = text_at(hpa, {"spec", "behavior", direction, "tolerance"});
  return parse_quantity(text).value_or(kDefaultTolerance);
}

// "key in (a,b)", and so on.
std::string requirement_text(const Json& expression) {
  std::string key = text_at(expression, {"key"});
  const std::string wanted = text_at(expression, {"operator"});
  if (wanted == "Exists") return key;
  if (wanted == "DoesNotExist") return "!" + key;
  std::set<std::string> values;
  for (const Json& one : at(expression, {"values"}))
    if (one.is_string()) values.insert(one.get<std::string>());
  return fmt::format("{} {} ({})", key, wanted == "NotIn" ? "notin" : "in", fmt::join(values, ","));
}

std::string text_of_selector(const Json& selector) {
  std::multimap<std::string, std::string> by_key;
  for (const auto& [key, value] : at(selector, {"matchLabels"}).items())
    if (value.is_string()) by_key.emplace(key, key + "=" + value.get<std::string>());
  for (const Json& one : at(selector, {"matchExpressions"}))
    by_key.emplace(text_at(one, {"key"}), requirement_text(one));
  return fmt::format("{}", fmt::join(std::views::values(by_key), ","));
}

}  // namespace

std::string selector_text(std::string_view json) {
  return text_of_selector(Json::parse(json, nullptr, false));
}

scalers::Result<HpaMetric> parse_hpa(std::string_view json, const std::string& metric) {
  const Json hpa = Json::parse(json, nullptr, false);
  const Json& metrics = at(hpa, {"spec", "metrics"});
  if (text_at(hpa, {"kind"}) != "HorizontalPodAutoscaler" || !metrics.is_array())
    return Error{Errc::bad_reply, "the answer is no HorizontalPodAutoscaler with metrics", ""};
  for (const Json& one : metrics) {
    if (text_at(one, {"external", "metric", "name"}) != metric) continue;
    const bool is_average = text_at(one, {"external", "target", "type"}) == "AverageValue";
    const std::string quantity =
        text_at(one, {"external", "target", is_average ? "averageValue" : "value"});
    const auto target = parse_quantity(quantity);
    if (!target || *target <= 0) {
      return Error{Errc::bad_reply,
                   fmt::format("the target \"{}\" of that metric is no quantity above 0", quantity),
                   ""};
    }
    return HpaMetric{.is_average = is_average,
                     .target = *target,
                     .quantity = quantity,
                     .selector = text_of_selector(at(one, {"external", "metric", "selector"})),
                     .current_replicas = whole_at(hpa, {"status", "currentReplicas"}, 0),
                     .min_replicas = whole_at(hpa, {"spec", "minReplicas"}, 1),
                     .max_replicas = whole_at(hpa, {"spec", "maxReplicas"}, 1),
                     .up_tolerance = tolerance_at(hpa, "scaleUp"),
                     .down_tolerance = tolerance_at(hpa, "scaleDown")};
  }
  return Error{Errc::unknown_object,
               fmt::format("the HPA has no external metric \"{}\"", metric),
               ""};
}

ImpliedReplicas implied_replicas(const HpaMetric& metric, double value) {
  const auto replicas = static_cast<double>(metric.current_replicas);
  ImpliedReplicas out{std::nullopt, false, 0, 0};
  const double whole = value / metric.target;
  if (metric.current_replicas > 0) {
    out.ratio = metric.is_average ? whole / replicas : whole;
    out.is_within_tolerance =
        *out.ratio >= 1 - metric.down_tolerance && *out.ratio <= 1 + metric.up_tolerance;
  }
  double wanted = std::ceil(whole);
  if (!metric.is_average && metric.current_replicas > 0) wanted = std::ceil(whole * replicas);
  if (out.is_within_tolerance) wanted = replicas;
  out.wanted = static_cast<std::int64_t>(std::clamp(wanted, 0.0, kMostReplicas));
  const std::int64_t least = std::min(metric.min_replicas, metric.max_replicas);
  out.bounded = std::clamp(out.wanted, least, metric.max_replicas);
  return out;
}

}  // namespace weir::apiservice
