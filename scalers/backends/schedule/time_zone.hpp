// Time zones of the system's IANA database (/usr/share/zoneinfo). No other file includes the
// library that reads them.
#pragma once

#include "scalers/backends/schedule/cron.hpp"
#include "scalers/deadline.hpp"

#include <optional>
#include <string>
#include <utility>

namespace weir::scalers::backends::schedule {

// Each time of the wall clock comes once: one that occurs twice, because clocks are turned back, at
// its first occurrence; one that is skipped at the moment at which clocks are turned forward.
class TimeZone {
 public:
  // "Europe/Berlin", "UTC"; nullopt when the database has none of that name.
  [[nodiscard]] static std::optional<TimeZone> find(const std::string& name);
  // "; did you mean ...?", from the names of the database, or "; write Etc/GMT-2 ..." for UTC+2;
  // may be empty.
  [[nodiscard]] static std::string suggestion_for(const std::string& name);

  // The latest time of the wall clock that has come at `now`. It does not move while an hour is
  // repeated.
  [[nodiscard]] LocalMinute reached_at(WallTime now) const;
  // When `time` comes.
  [[nodiscard]] WallTime instant_of(LocalMinute time) const;
  // "Tue 2026-12-01 18:00 CET"
  [[nodiscard]] std::string text_of(WallTime time) const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  explicit TimeZone(std::string name) : name_(std::move(name)) {}

  std::string name_;  // the library keeps a zone that it has read
};

}  // namespace weir::scalers::backends::schedule
