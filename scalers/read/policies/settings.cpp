// The rules between policies, apart from the policies: a reload must refuse a combination that
// would report a number no HPA should get.
#include "scalers/read/policies/settings.hpp"

#include "scalers/reading.hpp"
#include "scalers/settings/table.hpp"

#include <algorithm>
#include <string_view>

namespace weir::scalers::read {
namespace {

constexpr std::array kClampTable{
    setting<&Clamp::min>("min", "the least that is reported"),
    setting<&Clamp::max>("max", "the most that is reported"),
};

constexpr std::array kFallbackTable{
    required_setting<&Fallback::after>("after", "how long after the last good value, such as 45s"),
    setting<&Fallback::hold>(
        "hold",
        "how old the last good value may be when it is reported again, such as 2m"),
    setting<&Fallback::value>("value", "the number to report"),
};

bool is_below_zero(const std::optional<double>& number) { return number.value_or(0) < 0; }

// Also far below zero, where the HPA's int64 ends as well.
bool is_too_large(const std::optional<double>& number) {
  return number && !is_representable(*number);
}

// The policies that report a number which the entry writes down.
bool has_negative_number(const Policies& policies) {
  const auto& fallback = policies.fallback;
  return is_below_zero(policies.empty.number) || is_below_zero(policies.nan.number) ||
         is_below_zero(policies.clamp.min) || is_below_zero(policies.clamp.max) ||
         (fallback && is_below_zero(fallback->value));
}

// A fallback is given as it is, so it keeps the bounds by itself; 0 may be what zeroAtOrBelow
// reports below them.
void check_fallback(const Node& entry, const Policies& policies, Problems& problems) {
  const Node* fallback = entry.find("fallback");
  if (fallback == nullptr || !policies.fallback || !policies.fallback->value) return;
  const double value = *policies.fallback->value;
  const Clamp& clamp = policies.clamp;
  const bool is_other_zero = value == 0 && policies.zero_at_or_below;
  if (clamp.min && value < *clamp.min && !is_other_zero) {
    problems.add(fallback->mark,
                 "the number of fallback is below clamp's min, and clamp does not touch it; raise "
                 "it or lower min");
  } else if (clamp.max && value > *clamp.max) {
    problems.add(fallback->mark,
                 "the number of fallback is above clamp's max, and clamp does not touch it; lower "
                 "it or raise max");
  }
}

}  // namespace

void read_value(const Node& node, Clamp& out, Problems& problems) {
  const std::size_t before = problems.size();
  read_settings(node, kClampTable, "clamp", out, problems);
  // The rules between the values need values that were read without a problem.
  if (problems.size() != before) return;
  if (!out.min && !out.max) {
    problems.add(node.mark, "clamp needs min, max or both: write {min: NUMBER, max: NUMBER}");
  } else if (out.min && out.max && *out.min > *out.max) {
    problems.add(node.mark, "clamp has a min above its max; exchange them");
  } else if (is_too_large(out.min) || is_too_large(out.max)) {
    problems.add(node.mark, "a bound of clamp is below 9.2e15, the most an HPA can read");
  }
}

void read_value(const Node& node, Fallback& out, Problems& problems) {
  const std::size_t before = problems.size();
  read_settings(node, kFallbackTable, "fallback", out, problems);
  if (problems.size() != before) return;
  if (out.hold.has_value() == out.value.has_value()) {
    problems.add(node.mark,
                 "fallback needs hold or value, and not both: write {after: 45s, hold: 2m} or "
                 "{after: 45s, value: NUMBER}");
  } else if (out.hold && *out.hold <= out.after) {
    problems.add(node.mark,
                 "hold is longer than after: both count from the last good value, as in "
                 "{after: 45s, hold: 2m}");
  } else if (is_too_large(out.value)) {
    problems.add(node.mark, "the number of fallback is below 9.2e15, the most an HPA can read");
  }
}

void check_policies(const Node& entry, const Policies& policies, Problems& problems) {
  if (has_negative_number(policies) && policies.negative != NegativePolicy::allow) {
    // At the entry, because several keys may be meant.
    problems.add(
        entry.mark,
        "a number below zero for empty, nan, clamp or fallback needs negative: allow, because an "
        "HPA would scale to maxReplicas on it");
  }
  check_fallback(entry, policies, problems);
  const Node* zero = entry.find("zeroAtOrBelow");
  if (zero == nullptr || !policies.zero_at_or_below) return;
  // A min equal to the bound is fine: a value clamped to it is reported as 0.
  const double bound = *policies.zero_at_or_below;
  if (bound < 0) {
    problems.add(zero->mark, "zeroAtOrBelow is 0 or more; negative says what is below zero");
  } else if (policies.clamp.min && *policies.clamp.min > bound) {
    problems.add(zero->mark,
                 "zeroAtOrBelow never applies: clamp reports nothing below its min, which is "
                 "larger; lower min or remove one of them");
  } else if (policies.clamp.max && *policies.clamp.max <= bound) {
    problems.add(zero->mark,
                 "zeroAtOrBelow makes every value 0: clamp reports nothing above its max, which is "
                 "not larger; raise max or remove one of them");
  }
}

}  // namespace weir::scalers::read
