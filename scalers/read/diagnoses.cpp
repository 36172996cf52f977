#include "scalers/read/diagnoses.hpp"

#include <utility>

namespace weir::scalers::read {

std::string_view Diagnoses::cause(const std::string& key, Errc code, SteadyTime now) const {
  const auto known = found_.find(key);
  if (known == found_.end()) return {};
  const Found& found = known->second;
  const bool holds = found.code == code && now - found.at < kCauseKept;
  return holds ? std::string_view(found.cause) : std::string_view{};
}

bool Diagnoses::begin(const std::string& backend, const std::string& key, SteadyTime now) {
  const auto known = found_.find(key);
  if (known != found_.end()) {
    const Duration pause = known->second.cause.empty() ? kNoCauseRenewed : kCauseRenewed;
    if (now - known->second.at < pause) return false;
  }
  if (known == found_.end() && found_.size() >= kMaxCauses) {
    drop_past(now);
    if (found_.size() >= kMaxCauses) return false;
  }
  const auto [look, is_first] = looks_.try_emplace(backend);
  const bool is_too_soon = !is_first && now - look->second.begun < kLookPause;
  if (look->second.is_under_way || is_too_soon) return false;
  look->second = {true, now};
  return true;
}

void Diagnoses::end(const std::string& backend,
                    const std::string& key,
                    Errc code,
                    std::string cause,
                    SteadyTime now) {
  looks_[backend].is_under_way = false;
  found_[key] = {code, std::move(cause), now};
}

void Diagnoses::drop_past(SteadyTime now) {
  std::erase_if(found_, [now](const auto& one) { return now - one.second.at >= kCauseKept; });
}

}  // namespace weir::scalers::read
