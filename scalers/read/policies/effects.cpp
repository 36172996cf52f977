// The policies of a metric as `explain` shows them: each setting as the configuration would write
// it, and its effect on one answer.
#include "scalers/read/policies/effects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace weir::scalers::read {
namespace {

// A policy's setting, as an entry would write it; nullopt: it is off, or a kind's that had no
// effect.
using Setting = std::optional<std::string>;

std::string text_of(Duration span) {
  // In a unit that a setting may be written in.
  if (span.count() % 1000 != 0) return fmt::format("{}ms", span.count());
  return fmt::format("{}s", span.count() / 1000);
}

std::string text_of(const ErrorOrNumber& policy) {
  return policy.number ? fmt::format("{:g}", *policy.number) : "error";
}

std::string text_of(NegativePolicy policy) {
  const auto& names = EnumNames<NegativePolicy>::kNames;
  const auto* found = std::ranges::find(names, policy, [](const auto& one) { return one.second; });
  return std::string(found->first);
}

Setting text_of(const std::optional<double>& number) {
  return number ? Setting(fmt::format("{:g}", *number)) : std::nullopt;
}

Setting text_of(const Clamp& clamp) {
  const Setting min = text_of(clamp.min);
  const Setting max = text_of(clamp.max);
  if (min && max) return fmt::format("{{min: {}, max: {}}}", *min, *max);
  if (min) return fmt::format("{{min: {}}}", *min);
  return max ? Setting(fmt::format("{{max: {}}}", *max)) : std::nullopt;
}

Setting text_of(const std::optional<Fallback>& fallback) {
  if (!fallback) return std::nullopt;
  const std::string what = fallback->hold ? fmt::format("hold: {}", text_of(*fallback->hold))
                                          : fmt::format("value: {:g}", fallback->value.value_or(0));
  return fmt::format("{{after: {}, {}}}", text_of(fallback->after), what);
}

// The kind's own, which the scaler has applied. All samples of an answer have the same settings.
Setting text_of_missing(const Answer& answer) {
  // Known from its effect alone, because the setting is in the kind's own block.
  const bool is_missing = answer.samples && answer.samples->front().is_missing;
  return is_missing ? Setting(fmt::format("{:g}", answer.samples->front().value)) : std::nullopt;
}

Setting text_of_max_age(const Answer& answer) {
  // An error does not say what the limit was.
  if (answer.samples.has_error())
    return answer.samples.error().code == Errc::stale ? Setting("set") : std::nullopt;
  const auto& age = answer.samples->front().data_age;
  return age ? Setting(text_of(age->limit)) : std::nullopt;
}

std::string effect_of(Policy policy, const PolicySteps& steps) {
  // The first step of the policy: with several samples, that of the first sample on which it had an
  // effect.
  const auto step = std::ranges::find(steps, policy, &PolicyStep::policy);
  return step == steps.end() ? "not used" : step->text;
}

}  // namespace

std::vector<Explanation::Policy> effects_of(const Policies& policies,
                                            const Answer& answer,
                                            const PolicySteps& steps) {
  const std::pair<Policy, Setting> settings[] = {
      {Policy::settle,
       policies.settle.count() == 0 ? std::nullopt : Setting(text_of(policies.settle))},
      {Policy::missing, text_of_missing(answer)},
      {Policy::empty, text_of(policies.empty)},
      {Policy::max_age, text_of_max_age(answer)},
      {Policy::nan, text_of(policies.nan)},
      {Policy::negative, text_of(policies.negative)},
      {Policy::clamp, text_of(policies.clamp)},
      {Policy::zero_at_or_below, text_of(policies.zero_at_or_below)},
      {Policy::fallback, text_of(policies.fallback)},
  };
  std::vector<Explanation::Policy> out;
  for (const auto& [policy, setting] : settings) {
    if (setting) out.push_back({std::string(name_of(policy)), *setting, effect_of(policy, steps)});
  }
  return out;
}

}  // namespace weir::scalers::read
