// The formula of the HPA controller for one external metric, to show what a value means. Pure. Only
// an estimate: the controller also uses other metrics, behavior, stabilization and ready pods.
#pragma once

#include "scalers/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

// A key or value of an HPA's selector that no label can have. The kube-apiserver stores it, and the
// HPA controller refuses the whole selector before it asks for the metric.
struct BadLabel {
  std::string key;
  std::optional<std::string> value;  // nullopt: the key itself is not valid

  friend bool operator==(const BadLabel&, const BadLabel&) = default;
};

// One external metric of an autoscaling/v2 HorizontalPodAutoscaler.
struct HpaMetric {
  bool is_average;       // AverageValue: the target is a replica's share; else Value
  double target;         // above zero
  std::string quantity;  // the target as written
  std::string selector;  // as the controller sends it; empty: none
  std::int64_t current_replicas;
  std::int64_t min_replicas;
  std::int64_t max_replicas;
  double up_tolerance;
  double down_tolerance;
  std::vector<BadLabel> bad_labels = {};  // of the selector; empty: the controller accepts it
};

// The default of the kube-controller-manager's --horizontal-pod-autoscaler-tolerance.
inline constexpr double kDefaultTolerance = 0.1;

// The first external metric of that name. Errc::bad_reply: not an HPA, or an invalid target;
// unknown_object: no such metric.
[[nodiscard]] scalers::Result<HpaMetric> parse_hpa(std::string_view json,
                                                   const std::string& metric);

// The text of a LabelSelector {matchLabels, matchExpressions}, as the HPA controller sends
// it: sorted by key. Empty for null.
[[nodiscard]] std::string selector_text(std::string_view json);

// Those of such a LabelSelector: of matchLabels, sorted by key, then of matchExpressions.
[[nodiscard]] std::vector<BadLabel> bad_labels(std::string_view json);
// "no label can have the value "team/a" of queue (...)", with the rule.
[[nodiscard]] std::string text_of(const BadLabel& label);

struct ImpliedReplicas {
  std::optional<double> ratio;  // of usage to target; nullopt: there are no replicas
  bool is_within_tolerance;
  std::int64_t wanted;   // by the formula, before the bounds
  std::int64_t bounded;  // within minReplicas and maxReplicas
};

// `value` is the sum of the values of the metric's items.
[[nodiscard]] ImpliedReplicas implied_replicas(const HpaMetric& metric, double value);

}  // namespace weir::apiservice
