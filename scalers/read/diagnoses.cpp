// Whose turn a diagnosis is, apart from the diagnosis: it must stay fair between namespaces however
// many queries of one fail.
#include "scalers/read/diagnoses.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers::read {

std::string_view Diagnoses::cause(const std::string& key, Errc code, SteadyTime now) const {
  const auto known = found_.find(key);
  if (known == found_.end()) return {};
  const Found& found = known->second;
  // The cause of another error would mislead its reader.
  const bool holds = found.code == code && now - found.at < kCauseKept;
  return holds ? std::string_view(found.cause) : std::string_view{};
}

bool Diagnoses::begin(const std::string& backend,
                      const std::string& key,
                      const std::string& name_space,
                      Errc code,
                      SteadyTime now) {
  const auto known = found_.find(key);
  // The pause is for the same error: cause() shows nothing of another one.
  if (known != found_.end() && known->second.code == code) {
    const Duration pause = known->second.cause.empty() ? kNoCauseRenewed : kCauseRenewed;
    if (now - known->second.at < pause) return false;
  }
  // Never erased: there are as many as backends in the configuration.
  Schedule& schedule = schedules_[backend];
  drop_past_turns(schedule, now);
  const bool is_too_soon = schedule.started_at && now - *schedule.started_at < kDiagnosisPause;
  if (schedule.is_running || is_too_soon || !is_turn_of(schedule, name_space, now)) {
    wait_for_turn(schedule, name_space, now);
    return false;
  }
  schedule.is_running = true;
  schedule.started_at = now;
  schedule.name_space = name_space;
  schedule.key = key;
  // A namespace that is not among kMaxTurns counts as one that never had a turn.
  if (schedule.turns.size() < kMaxTurns || schedule.turns.contains(name_space))
    schedule.turns[name_space] = {now, std::nullopt};
  return true;
}

void Diagnoses::end(const std::string& backend,
                    const std::string& key,
                    Errc code,
                    std::string cause,
                    SteadyTime now) {
  Schedule& schedule = schedules_[backend];
  schedule.is_running = false;
  if (found_.size() >= kMaxCauses && !found_.contains(key)) make_room(now);
  found_[key] = {code, std::move(cause), now, schedule.name_space};
}

bool Diagnoses::is_running(const std::string& backend, const std::string& key) const {
  const auto schedule = schedules_.find(backend);
  return schedule != schedules_.end() && schedule->second.is_running && schedule->second.key == key;
}

bool Diagnoses::is_turn_of(const Schedule& schedule,
                           const std::string& name_space,
                           SteadyTime now) {
  const auto known = schedule.turns.find(name_space);
  // One that never had a turn comes before all others.
  const auto had = known == schedule.turns.end() ? std::nullopt : known->second.had;
  if (!had) return true;
  const bool was_just_now = now - *had < kTurnPause;
  return std::ranges::none_of(schedule.turns, [&](const auto& other) {
    const Turn& turn = other.second;
    // nullopt compares below every time, so a namespace that waits for its first turn is earlier
    // than one that had a turn.
    if (other.first == name_space || !turn.awaited || turn.had >= had) return false;
    return was_just_now || !turn.had || now - *turn.had >= kTurnKept;
  });
}

void Diagnoses::wait_for_turn(Schedule& schedule, const std::string& name_space, SteadyTime now) {
  if (schedule.turns.size() >= kMaxTurns && !schedule.turns.contains(name_space)) return;
  schedule.turns[name_space].awaited = now;
}

void Diagnoses::drop_past_turns(Schedule& schedule, SteadyTime now) {
  const auto is_past = [now](const std::optional<SteadyTime>& at) {
    return !at || now - *at >= kTurnKept;
  };
  // An HPA that was deleted or fixed waits no longer, and must not block the turns of others.
  for (auto& [name_space, turn] : schedule.turns)
    if (is_past(turn.awaited)) turn.awaited.reset();
  std::erase_if(schedule.turns,
                [&](const auto& one) { return !one.second.awaited && is_past(one.second.had); });
}

void Diagnoses::make_room(SteadyTime now) {
  std::erase_if(found_, [now](const auto& one) { return now - one.second.at >= kCauseKept; });
  if (found_.size() < kMaxCauses) return;
  // Expired causes were not enough, so the namespace with most of them loses one.
  std::map<std::string_view, std::size_t> counts;
  for (const auto& [key, found] : found_) ++counts[found.name_space];
  const auto greediest =
      std::ranges::max_element(counts, {}, [](const auto& one) { return one.second; });
  const auto oldest = std::ranges::min_element(found_, {}, [&](const auto& one) {
    // false sorts before true: first the causes of that namespace, and of these the oldest.
    return std::pair(one.second.name_space != greediest->first, one.second.at);
  });
  found_.erase(oldest);
}

}  // namespace weir::scalers::read
