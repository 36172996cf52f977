// An HPA's own arithmetic for one external metric, to illustrate what a value means to it. Pure:
// the HPA controller decides, and knows more (other metrics, behavior, stabilization, ready pods).
#pragma once

#include "scalers/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::apiservice {

// What an autoscaling/v2 HorizontalPodAutoscaler says about one external metric.
struct HpaMetric {
  bool is_average;       // AverageValue: the target is a replica's share; else Value
  double target;         // above zero
  std::string quantity;  // the target as written
  std::string selector;  // as its controller asks with it; empty: none
  std::int64_t current_replicas;
  std::int64_t min_replicas;
  std::int64_t max_replicas;
  double up_tolerance;
  double down_tolerance;
};

// The kube-controller-manager's own --horizontal-pod-autoscaler-tolerance.
inline constexpr double kDefaultTolerance = 0.1;

// The first external metric of that name. Errc::bad_reply: no HPA, or a target that cannot be read;
// unknown_object: it has no such metric.
[[nodiscard]] scalers::Result<HpaMetric> parse_hpa(std::string_view json,
                                                   const std::string& metric);

// The text of a LabelSelector {matchLabels, matchExpressions}, as an HPA's controller writes it
// into its question: sorted by key. Empty for null.
[[nodiscard]] std::string selector_text(std::string_view json);

struct ImpliedReplicas {
  std::optional<double> ratio;  // of usage to target; nullopt: there is no replica to share it
  bool is_within_tolerance;
  std::int64_t wanted;   // by the formula
  std::int64_t bounded;  // within minReplicas and maxReplicas
};

// `value` is the sum of what the metric's items give.
[[nodiscard]] ImpliedReplicas implied_replicas(const HpaMetric& metric, double value);

}  // namespace weir::apiservice
