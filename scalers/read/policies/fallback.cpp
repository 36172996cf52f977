// The one place where an error becomes a number, apart from the other policies because it alone
// depends on what happened before.
#include "scalers/read/policies/fallback.hpp"

#include "scalers/read/policies/trace.hpp"
#include "scalers/read/query_cache.hpp"

#include <string_view>
#include <utility>

namespace weir::scalers::read {

namespace {

// The last good answer's values, judged again because the history shares the raw answer with the
// cache; nullopt when there is none, or when it is too old.
std::optional<Substitute> held_value(const Policies& policies,
                                     const History& history,
                                     SteadyTime::duration age,
                                     std::span<const LabelRequirement> filter,
                                     PolicyTrace& trace) {
  if (history.last_good == nullptr) {
    trace.add(Policy::fallback, "there is no good value to hold");
    return std::nullopt;
  }
  const Duration hold = *policies.fallback->hold;
  if (age >= hold) {
    trace.add(Policy::fallback,
              "the last good value was {} ago and is held for {}",
              seconds_text(age),
              seconds_text(hold));
    return std::nullopt;
  }
  // The verdict does not depend on the time, so it is good again.
  auto held = judge(policies, *history.last_good, filter);
  if (!held) return std::nullopt;
  trace.add(Policy::fallback,
            "the last good value was {} ago, {:g} is reported again",
            seconds_text(age),
            held->front().value);
  return Substitute{std::move(*held), true};
}

}  // namespace

FallbackHistory::FallbackHistory() : histories_(kMaxCachedAnswers, kMaxCachedOfNamespace) {}

void FallbackHistory::note(const std::string& key,
                           const std::string& name_space,
                           const AnswerPtr& answer,
                           bool is_good) {
  const History* known = histories_.find(key);
  if (is_good) {
    // Reads that waited may bring an older answer after a newer one was noted.
    const bool is_newer =
        known == nullptr || known->last_good == nullptr || known->last_good->at < answer->at;
    if (is_newer) histories_.put(key, name_space, {answer, std::nullopt});
  } else if (known == nullptr) {
    // The first failure only, so that time runs from there however many reads fail after it.
    histories_.put(key, name_space, {nullptr, answer->at});
  }
}

History FallbackHistory::find(const std::string& key) {
  const History* known = histories_.find(key);
  return known == nullptr ? History{} : *known;
}

std::optional<Substitute> fall_back(const Policies& policies,
                                    const Error& failure,
                                    const History& history,
                                    SteadyTime now,
                                    WallTime wall_now,
                                    std::span<const LabelRequirement> filter,
                                    PolicySteps* steps) {
  if (!policies.fallback) return std::nullopt;
  PolicyTrace trace(steps);
  const Fallback& fallback = *policies.fallback;
  // A number would hide the mistake, and no wait corrects it.
  if (failure.code == Errc::bad_request || failure.code == Errc::unknown_metric) {
    trace.add(Policy::fallback, "not used, because the request itself is wrong");
    return std::nullopt;
  }
  // Without any history (an explanation before the first read) the first failure is this one.
  const SteadyTime since =
      history.last_good != nullptr ? history.last_good->at : history.first_failure.value_or(now);
  const auto age = now - since;
  const std::string_view what =
      history.last_good != nullptr ? "the last good value" : "the first failure";
  if (age < fallback.after) {
    trace.add(Policy::fallback,
              "{} was {} ago; it begins after {}",
              what,
              seconds_text(age),
              seconds_text(fallback.after));
    return std::nullopt;
  }
  if (fallback.value) {
    // A number that the author wrote does not age, so it has no end; a held one has `hold`.
    trace.add(Policy::fallback,
              "{} was {} ago, reported as {:g}",
              what,
              seconds_text(age),
              *fallback.value);
    return Substitute{{{*fallback.value, wall_now, {}, {}}}, false};
  }
  return held_value(policies, history, age, filter, trace);
}

}  // namespace weir::scalers::read
