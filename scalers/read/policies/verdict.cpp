// The policies as pure functions, one after the other, because each has a promise of its own to
// keep: an HPA executes whatever number it gets.
#include "scalers/read/policies/verdict.hpp"

#include "scalers/read/labels.hpp"
#include "scalers/read/policies/trace.hpp"
#include "scalers/text/labels.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

namespace weir::scalers::read {
namespace {

bool is_settling(const Policies& policies, const Answer& answer) {
  return answer.time_since_recovery && *answer.time_since_recovery < policies.settle;
}

// The error of an answer that came too soon after an outage, if it did.
std::optional<Error> settling(const Policies& policies, const Answer& answer, PolicyTrace& trace) {
  if (policies.settle.count() == 0) return std::nullopt;
  if (!answer.time_since_recovery) {
    trace.add(Policy::settle, "the backend has had no outage");
    return std::nullopt;
  }
  trace.add(Policy::settle,
            "the backend had recovered {} before; its values count after {}",
            seconds_text(*answer.time_since_recovery),
            seconds_text(policies.settle));
  if (!is_settling(policies, answer)) return std::nullopt;
  return Error{Errc::settling,
               fmt::format("the backend recovered {} ago; values are ignored for {} after recovery "
                           "(settle) because queues may look empty after a restart",
                           seconds_text(*answer.time_since_recovery),
                           seconds_text(policies.settle)),
               ""};
}

Result<double> empty(const Policies& policies, const Error& failure, PolicyTrace& trace) {
  // Any other error says nothing about what there is to measure: the number of `empty` would be a
  // guess.
  if (failure.code != Errc::no_value) return failure;
  if (!policies.empty.number) {
    trace.add(Policy::empty, "there is no value, which is an error");
    return failure;
  }
  trace.change(Policy::empty, "there is no value, reported as {:g}", *policies.empty.number);
  return *policies.empty.number;
}

Result<double> not_a_number(const Policies& policies, double value, PolicyTrace& trace) {
  if (std::isinf(value)) {
    // Neither for `nan` nor for `clamp`: an HPA would scale to the bound of a failed division.
    return Error{
        Errc::not_a_number,
        fmt::format("the value is {}Inf; something was divided by zero", value < 0 ? "-" : "+"),
        ""};
  }
  if (policies.nan.number) {
    trace.change(Policy::nan, "the value is NaN, reported as {:g}", *policies.nan.number);
    return *policies.nan.number;
  }
  trace.add(Policy::nan, "the value is NaN, which is an error");
  return Error{Errc::not_a_number,
               "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 "
               "if that means idle",
               ""};
}

Result<double> negative(const Policies& policies, double value, PolicyTrace& trace) {
  // With AverageValue the HPA controller takes a negative number for an overflow, and scales to
  // maxReplicas.
  switch (policies.negative) {
    case NegativePolicy::zero:
      trace.change(Policy::negative, "{:g} is reported as 0", value);
      return 0.0;
    case NegativePolicy::allow: trace.add(Policy::negative, "{:g} is allowed", value); return value;
    case NegativePolicy::error: break;
  }
  trace.add(Policy::negative, "{:g} is an error", value);
  return Error{
      Errc::negative,
      fmt::format(
          "the value {:g} is negative; an HPA would scale to maxReplicas on it; set negative: zero "
          "or negative: allow if it is meant",
          value),
      ""};
}

// Of a value whose sum, average or maximum would hide that a part is negative.
Result<double> negative_parts(const Policies& policies, const Sample& sample, PolicyTrace& trace) {
  const NegativeParts& parts = *sample.negative_parts;
  switch (policies.negative) {
    case NegativePolicy::zero:
      trace.change(Policy::negative,
                   "{} of {} {} are negative, each counts as 0",
                   parts.negative,
                   parts.all,
                   parts.noun);
      return parts.with_zeros;
    case NegativePolicy::allow:
      trace.add(Policy::negative, "{:g} is allowed in one of {}", parts.least, parts.noun);
      return sample.value;
    case NegativePolicy::error: break;
  }
  trace.add(Policy::negative, "{:g} in one of {} is an error", parts.least, parts.noun);
  return Error{Errc::negative,
               fmt::format("{} of {} {} are negative, down to {:g}; a number made of them would be "
                           "wrong; set negative: zero or negative: allow if it is meant",
                           parts.negative,
                           parts.all,
                           parts.noun,
                           parts.least),
               ""};
}

// What the backend measured, as a number that may be out of bounds yet.
Result<double> measured(const Policies& policies, const Sample& sample, PolicyTrace& trace) {
  // A change, although the scaler made it: the number was not measured.
  if (sample.is_missing) {
    trace.change(Policy::missing, "the object does not exist, reported as {:g}", sample.value);
  }
  if (sample.data_age) {
    trace.add(Policy::max_age,
              "the newest data was {} old when it was queried; at most {} is allowed",
              seconds_text(sample.data_age->age),
              seconds_text(sample.data_age->limit));
  }
  if (!std::isfinite(sample.value)) return not_a_number(policies, sample.value, trace);
  if (sample.negative_parts) return negative_parts(policies, sample, trace);
  return sample.value < 0 ? negative(policies, sample.value, trace) : sample.value;
}

// A min above its max is refused at load time, so the order of the two does not matter.
double clamped(const Clamp& clamp, double value, PolicyTrace& trace) {
  if (clamp.min && value < *clamp.min) {
    trace.change(Policy::clamp, "{:g} is below min, reported as {:g}", value, *clamp.min);
    return *clamp.min;
  }
  if (clamp.max && value > *clamp.max) {
    trace.change(Policy::clamp, "{:g} is above max, reported as {:g}", value, *clamp.max);
    return *clamp.max;
  }
  if (clamp.min || clamp.max) trace.add(Policy::clamp, "{:g} is within its bounds", value);
  return value;
}

double zeroed(const std::optional<double>& bound, double value, PolicyTrace& trace) {
  if (!bound) return value;
  if (value > *bound) {
    trace.add(Policy::zero_at_or_below, "{:g} is above {:g}", value, *bound);
    return value;
  }
  if (value == 0) {
    // No change: telemetry counts the values of which a policy made another number.
    trace.add(Policy::zero_at_or_below, "0 is at or below {:g}", *bound);
  } else {
    trace.change(Policy::zero_at_or_below,
                 "{:g} is at or below {:g}, reported as 0",
                 value,
                 *bound);
  }
  return 0.0;
}

// The policies of numbers, which apply to what `empty` reports too.
Result<double> bounded(const Policies& policies, double value, PolicyTrace& trace) {
  const double within = clamped(policies.clamp, value, trace);
  const double out = zeroed(policies.zero_at_or_below, within, trace);
  // Last, because clamp may bring a number back that is too large.
  if (is_representable(out)) return out;
  return Error{
      Errc::out_of_range,
      fmt::format("the value {:g} is beyond 9.2e15, the most an HPA can read; use a larger unit",
                  out),
      ""};
}

// The verdict without any sample, for `failure`.
Verdict judge_nothing(const Policies& policies,
                      const Error& failure,
                      WallTime queried_at,
                      PolicyTrace& trace) {
  if (failure.code == Errc::stale)
    trace.add(Policy::max_age, "the data is older than it may be, which is an error");
  const auto number = empty(policies, failure, trace);
  if (!number) return number.error();
  const auto value = bounded(policies, *number, trace);
  if (!value) return value.error();
  // There is no sample whose time it could have, so it has that of the query.
  return std::vector{JudgedSample{*value, queried_at, {}, trace.changes()}};
}

// An error and not an empty list, on which the HPA says "no metrics returned" and nothing of the
// labels.
Error nothing_selected(const Samples& samples) {
  return {Errc::no_value,
          fmt::format("the selector matches no sample ({} measured); the first one has the labels",
                      samples.size()),
          remote_text(labels_text(samples.front().labels), {})};
}

}  // namespace

Verdict judge(const Policies& policies,
              const Answer& answer,
              std::span<const LabelRequirement> filter,
              PolicySteps* steps) {
  PolicyTrace trace(steps);
  const bool has_failed = answer.samples.has_error();
  // An error of its own says more than that the backend is settling.
  if (!has_failed || answer.samples.error().code == Errc::no_value) {
    if (auto early = settling(policies, answer, trace)) return std::move(*early);
  }
  if (has_failed) return judge_nothing(policies, answer.samples.error(), answer.queried_at, trace);
  std::vector<JudgedSample> out;
  out.reserve(answer.samples->size());
  for (const Sample& sample : *answer.samples) {
    if (!matches(filter, sample.labels)) continue;
    // One for each sample, because each has its own changes.
    PolicyTrace of_sample(steps);
    // The first error ends the verdict: the HPA adds the samples up, and a sum without one of them
    // is wrong.
    const auto number = measured(policies, sample, of_sample);
    if (!number) return number.error();
    const auto value = bounded(policies, *number, of_sample);
    if (!value) return value.error();
    out.push_back({*value, sample.taken_at, sample.labels, of_sample.changes()});
  }
  if (out.empty())
    return judge_nothing(policies, nothing_selected(*answer.samples), answer.queried_at, trace);
  return out;
}

bool is_conclusive(const Policies& policies, const Answer& answer) {
  // The backend may have settled a moment later, so this answer is not for the whole freshness.
  if (is_settling(policies, answer)) return false;
  return answer.samples.has_value() ||
         (answer.samples.error().code == Errc::no_value && policies.empty.number.has_value());
}

Result<Samples> expire_if_stale(Result<Samples> samples, SteadyTime::duration query_duration) {
  if (samples.has_error()) return samples;
  for (const Sample& sample : *samples) {
    if (!sample.data_age) continue;
    const DataAge& data = *sample.data_age;
    if (data.age + query_duration <= data.limit) continue;
    return Error{Errc::stale,
                 fmt::format("the newest data was {} old when it was queried, the query took {}, "
                             "and maxAge is {}",
                             seconds_text(data.age),
                             seconds_text(query_duration),
                             seconds_text(data.limit)),
                 ""};
  }
  return samples;
}

}  // namespace weir::scalers::read
