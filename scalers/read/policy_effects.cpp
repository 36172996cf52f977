#include "scalers/read/policy_effects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::read {
namespace {

// A policy's setting, as an entry would write it; nullopt: it is off, or a kind's that had no say.
using Setting = std::optional<std::string>;

std::string text_of(Duration span) {
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

// The kind's own, which it applied before the answer came here.
Setting text_of_missing(const Answer& answer) {
  const bool is_missing = answer.sample && answer.sample->is_missing;
  return is_missing ? Setting(fmt::format("{:g}", answer.sample->value)) : std::nullopt;
}

Setting text_of_max_age(const Answer& answer) {
  if (answer.sample.has_error())
    return answer.sample.error().code == Errc::stale ? Setting("set") : std::nullopt;
  const auto& age = answer.sample->data_age;
  return age ? Setting(text_of(age->limit)) : std::nullopt;
}

std::string effect_of(std::string_view policy, const PolicySteps& steps) {
  const auto step = std::ranges::find(steps, policy, &PolicyStep::name);
  return step == steps.end() ? "not used" : step->text;
}

}  // namespace

std::vector<Explanation::Policy> effects_of(const Policies& policies,
                                            const Answer& answer,
                                            const PolicySteps& steps) {
  const std::pair<std::string_view, Setting> settings[] = {
      {"settle", policies.settle.count() == 0 ? std::nullopt : Setting(text_of(policies.settle))},
      {"missing", text_of_missing(answer)},
      {"empty", text_of(policies.empty)},
      {"maxAge", text_of_max_age(answer)},
      {"nan", text_of(policies.nan)},
      {"negative", text_of(policies.negative)},
      {"clamp", text_of(policies.clamp)},
      {"zeroAtOrBelow", text_of(policies.zero_at_or_below)},
      {"fallback", text_of(policies.fallback)},
  };
  std::vector<Explanation::Policy> out;
  for (const auto& [name, setting] : settings) {
    if (setting) out.push_back({std::string(name), *setting, effect_of(name, steps)});
  }
  return out;
}

}  // namespace weir::scalers::read
