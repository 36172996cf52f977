#include "scalers/read/policies.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace weir::scalers::read {
namespace {

std::string seconds(SteadyTime::duration span) {
  return fmt::format("{:.4g} s", std::chrono::duration<double>(span).count());
}

// The steps of one answer; writes nothing when nobody wants to read them.
class Trace {
 public:
  explicit Trace(PolicySteps* steps) : steps_(steps) {}

  template <class... Values>
  void add(std::string_view policy, fmt::format_string<Values...> text, Values&&... values) {
    if (steps_ == nullptr) return;
    steps_->push_back({policy, fmt::format(text, std::forward<Values>(values)...)});
  }
  // The policy made another number of it.
  template <class... Values>
  void change(std::string_view policy, fmt::format_string<Values...> text, Values&&... values) {
    add(policy, text, std::forward<Values>(values)...);
    if (steps_ != nullptr) steps_->back().is_change = true;
  }

 private:
  PolicySteps* steps_;
};

bool is_settling(const Policies& policies, const Answer& answer) {
  return answer.time_since_recovery && *answer.time_since_recovery < policies.settle;
}

// The error of an answer that came too soon, if it did.
std::optional<Error> settling(const Policies& policies, const Answer& answer, Trace& trace) {
  if (policies.settle.count() == 0) return std::nullopt;
  if (!answer.time_since_recovery) {
    trace.add("settle", "the backend has not been away");
    return std::nullopt;
  }
  trace.add("settle",
            "the backend had been back for {}; it is believed after {}",
            seconds(*answer.time_since_recovery),
            seconds(policies.settle));
  if (!is_settling(policies, answer)) return std::nullopt;
  return Error{Errc::settling,
               fmt::format("it came back {} ago and is not believed for {} (settle), since queues "
                           "may look empty behind a restart",
                           seconds(*answer.time_since_recovery),
                           seconds(policies.settle)),
               ""};
}

Result<double> empty(const Policies& policies, const Error& failure, Trace& trace) {
  if (failure.code != Errc::no_value) return failure;
  if (!policies.empty.number) {
    trace.add("empty", "no value came, which is an error");
    return failure;
  }
  trace.change("empty", "no value came, reported as {:g}", *policies.empty.number);
  return *policies.empty.number;
}

Result<double> not_a_number(const Policies& policies, double value, Trace& trace) {
  if (std::isinf(value)) {
    return Error{
        Errc::not_a_number,
        fmt::format("the value is {}Inf; something was divided by zero", value < 0 ? "-" : "+"),
        ""};
  }
  if (policies.nan.number) {
    trace.change("nan", "the value is NaN, reported as {:g}", *policies.nan.number);
    return *policies.nan.number;
  }
  trace.add("nan", "the value is NaN, which is an error");
  return Error{Errc::not_a_number,
               "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 "
               "if that means idle",
               ""};
}

Result<double> negative(const Policies& policies, double value, Trace& trace) {
  switch (policies.negative) {
    case NegativePolicy::zero: trace.change("negative", "{:g} is reported as 0", value); return 0.0;
    case NegativePolicy::allow: trace.add("negative", "{:g} is allowed", value); return value;
    case NegativePolicy::error: break;
  }
  trace.add("negative", "{:g} is an error", value);
  return Error{
      Errc::negative,
      fmt::format(
          "the value {:g} is negative, which an HPA takes for an order to grow to its maximum; set "
          "negative: zero or negative: allow if it is meant",
          value),
      ""};
}

// What the backend said, as a number that may be out of bounds yet.
Result<double> measured(const Policies& policies, const Answer& answer, Trace& trace) {
  if (answer.sample.has_error()) {
    if (answer.sample.error().code == Errc::stale)
      trace.add("maxAge", "the data is older than it may be, which is an error");
    return empty(policies, answer.sample.error(), trace);
  }
  const Sample& sample = *answer.sample;
  if (sample.is_missing) {
    trace.change("missing", "the object does not exist, reported as {:g}", sample.value);
  }
  if (sample.data_age) {
    trace.add("maxAge",
              "the newest data was {} old when it was asked; at most {} is allowed",
              seconds(sample.data_age->age),
              seconds(sample.data_age->limit));
  }
  if (!std::isfinite(sample.value)) return not_a_number(policies, sample.value, trace);
  return sample.value < 0 ? negative(policies, sample.value, trace) : sample.value;
}

double clamped(const Clamp& clamp, double value, Trace& trace) {
  if (clamp.min && value < *clamp.min) {
    trace.change("clamp", "{:g} is below min, reported as {:g}", value, *clamp.min);
    return *clamp.min;
  }
  if (clamp.max && value > *clamp.max) {
    trace.change("clamp", "{:g} is above max, reported as {:g}", value, *clamp.max);
    return *clamp.max;
  }
  if (clamp.min || clamp.max) trace.add("clamp", "{:g} is within its bounds", value);
  return value;
}

double zeroed(const std::optional<double>& bound, double value, Trace& trace) {
  if (!bound) return value;
  if (value > *bound) {
    trace.add("zeroAtOrBelow", "{:g} is above {:g}", value, *bound);
    return value;
  }
  if (value == 0) {
    trace.add("zeroAtOrBelow", "0 is at or below {:g}", *bound);
  } else {
    trace.change("zeroAtOrBelow", "{:g} is at or below {:g}, reported as 0", value, *bound);
  }
  return 0.0;
}

}  // namespace

bool is_answer(const Policies& policies, const Answer& answer) {
  if (is_settling(policies, answer)) return false;
  return answer.sample.has_value() ||
         (answer.sample.error().code == Errc::no_value && policies.empty.number.has_value());
}

Result<double> apply(const Policies& policies, const Answer& answer, PolicySteps* steps) {
  Trace trace(steps);
  // An error of its own says more than that the backend is settling.
  if (answer.sample.has_value() || answer.sample.error().code == Errc::no_value) {
    if (auto early = settling(policies, answer, trace)) return std::move(*early);
  }
  const auto said = measured(policies, answer, trace);
  if (!said) return said.error();
  const double within = clamped(policies.clamp, *said, trace);
  const double value = zeroed(policies.zero_at_or_below, within, trace);
  if (is_representable(value)) return value;
  return Error{
      Errc::out_of_range,
      fmt::format("the value {:g} is beyond 9.2e15, the most an HPA can read; use a larger unit",
                  value),
      ""};
}

Result<Sample> expire_if_stale(Result<Sample> sample, SteadyTime::duration query_duration) {
  if (sample.has_error() || !sample->data_age) return sample;
  const DataAge& data = *sample->data_age;
  if (data.age + query_duration <= data.limit) return sample;
  return Error{Errc::stale,
               fmt::format("the newest data was {} old when it was asked, the answer took {}, and "
                           "maxAge is {}",
                           seconds(data.age),
                           seconds(query_duration),
                           seconds(data.limit)),
               ""};
}

std::vector<std::string_view> changes(const Policies& policies, const Answer& answer) {
  PolicySteps steps;
  if (!apply(policies, answer, &steps)) return {};
  std::vector<std::string_view> out;
  for (const PolicyStep& step : steps) {
    if (step.is_change) out.push_back(step.name);
  }
  return out;
}

std::optional<Substitute> fall_back(const Policies& policies,
                                    const Error& failure,
                                    const History& history,
                                    SteadyTime now,
                                    PolicySteps* steps) {
  if (!policies.fallback) return std::nullopt;
  Trace trace(steps);
  const Fallback& fallback = *policies.fallback;
  if (failure.code == Errc::bad_request || failure.code == Errc::unknown_metric) {
    trace.add("fallback", "not for a question that is wrong itself");
    return std::nullopt;
  }
  const SteadyTime since =
      history.last_good != nullptr ? history.last_good->at : history.first_failure.value_or(now);
  const auto age = now - since;
  const std::string_view what =
      history.last_good != nullptr ? "the last good reading" : "the first failure";
  if (age < fallback.after) {
    trace.add("fallback",
              "{} was {} ago; it begins after {}",
              what,
              seconds(age),
              seconds(fallback.after));
    return std::nullopt;
  }
  if (fallback.value) {
    trace.add("fallback", "{} was {} ago, reported as {:g}", what, seconds(age), *fallback.value);
    return Substitute{*fallback.value, false};
  }
  if (history.last_good == nullptr) {
    trace.add("fallback", "there has been no good reading to hold");
    return std::nullopt;
  }
  if (age >= *fallback.hold) {
    trace.add("fallback",
              "{} was {} ago and is held for {}",
              what,
              seconds(age),
              seconds(*fallback.hold));
    return std::nullopt;
  }
  const auto held = apply(policies, *history.last_good);
  if (!held) return std::nullopt;
  trace.add("fallback", "{} was {} ago, {:g} is given again", what, seconds(age), *held);
  return Substitute{*held, true};
}

}  // namespace weir::scalers::read
