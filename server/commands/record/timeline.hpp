// The data of a record: the readings of each metric and the state of each HPA over time. Plain
// values; the command appends to it, the renderers read it.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/reading.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::server::record {

// One read of a metric: its readings, or why there are none.
struct Sample {
  double at = 0;  // seconds since the record began
  WallTime time;
  double took = 0;  // seconds
  std::vector<scalers::Reading> readings;
  std::string error;  // empty: there are readings
};

struct MetricTrack {
  std::string name;  // as it was given: NAMESPACE/METRIC?SELECTOR
  std::vector<Sample> samples;
};

struct Condition {
  std::string type;
  std::string status;  // "True", "False" or "Unknown"
  std::string reason;
  std::string message;

  friend bool operator==(const Condition&, const Condition&) = default;
};

// One metric of an HPA: its target, and what the controller read last. A number that is not set is
// unknown, or not of this type.
struct HpaMetric {
  std::string type;  // "External", "Resource", ...
  std::string name;  // of the metric or the resource
  std::optional<double> target_value = {};
  std::optional<double> target_average = {};      // a replica
  std::optional<double> target_utilization = {};  // percent of the requests
  std::optional<double> value = {};
  std::optional<double> average = {};
  std::optional<double> utilization = {};

  // Whether the controller read more than the target.
  [[nodiscard]] bool is_over_target() const;

  friend bool operator==(const HpaMetric&, const HpaMetric&) = default;
};

// The spec and the status of an HPA.
struct HpaState {
  std::optional<std::int64_t> current;
  std::optional<std::int64_t> desired;
  std::vector<Condition> conditions;
  std::optional<std::int64_t> least = {};  // minReplicas, maxReplicas
  std::optional<std::int64_t> most = {};
  std::vector<HpaMetric> metrics = {};
};

struct HpaSample {
  double at = 0;  // seconds since the record began
  WallTime time;
  double took = 0;  // seconds
  HpaState state;
  std::string error;  // empty: there is a state
};

struct HpaTrack {
  std::string name;  // NAMESPACE/NAME
  std::vector<HpaSample> samples;
};

struct Timeline {
  WallTime began;
  std::vector<MetricTrack> metrics;
  std::vector<HpaTrack> hpas;
};

// `queue=ml.embed,model=a`; empty for none.
[[nodiscard]] std::string text_of(const scalers::Labels& labels);
// `ScalingActive=False (FailedGetExternalMetric)`, joined with `; `.
[[nodiscard]] std::string text_of(const std::vector<Condition>& conditions);
// How old a reading's data was when its response arrived, in seconds; never below 0.
[[nodiscard]] double age_of(const Sample& sample, const scalers::Reading& reading);

}  // namespace weir::server::record
