// Why queries fail: causes that were found in the background, cached, and shown from the next
// failing read on. Decides when a diagnosis is due and whose turn it is; the reader runs it. Loop
// thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers::read {

// A cause is shown for this long, and searched for again after a while of further failures, sooner
// when none was found.
inline constexpr Duration kCauseKept{120'000};
inline constexpr Duration kCauseRenewed{30'000};
inline constexpr Duration kNoCauseRenewed{5000};
// Between the starts of two diagnoses of one backend; there is never more than one at a time.
inline constexpr Duration kDiagnosisPause{1000};
inline constexpr Duration kDiagnosisBudget{5000};
// A namespace that got no turn keeps its place for this long: an HPA reads every 15 s.
inline constexpr Duration kTurnKept{20'000};
// For how long a namespace with a recent diagnosis lets another one go first that had one within
// kTurnKept.
inline constexpr Duration kTurnPause{5000};
inline constexpr std::size_t kMaxCauses = 1000;
inline constexpr std::size_t kMaxTurns = 100;  // namespaces remembered for one backend

class Diagnoses {
 public:
  // Why the query `key` failed with `code`, as a clause; empty when that is not known.
  [[nodiscard]] std::string_view cause(const std::string& key, Errc code, SteadyTime now) const;
  // Whether to start a diagnosis of the query `key`, which failed with `code`, at this moment;
  // end() has to follow. Also false while another namespace waits whose last turn was before that
  // of `name_space`: for kTurnPause, and as long as it waits when it had none within kTurnKept.
  [[nodiscard]] bool begin(const std::string& backend,
                           const std::string& key,
                           const std::string& name_space,
                           Errc code,
                           SteadyTime now);
  // Among kMaxCauses, the namespace with the most of them loses its oldest.
  void end(const std::string& backend,
           const std::string& key,
           Errc code,
           std::string cause,
           SteadyTime now);
  // Whether a diagnosis of the query `key` is running: end() will be called.
  [[nodiscard]] bool is_running(const std::string& backend, const std::string& key) const;
  // The query succeeded: its cause is past.
  void forget(const std::string& key) { found_.erase(key); }

 private:
  struct Found {
    Errc code;
    std::string cause;
    SteadyTime at;
    std::string name_space;
  };
  struct Turn {
    std::optional<SteadyTime> had;      // when its last diagnosis started
    std::optional<SteadyTime> awaited;  // when it last failed and got no turn
  };
  // The diagnoses of one backend.
  struct Schedule {
    bool is_running = false;
    std::optional<SteadyTime> started_at;  // of the last one
    std::string name_space;                // of the last one
    std::string key;                       // of the last one
    std::map<std::string, Turn> turns;     // by namespace
  };
  [[nodiscard]] static bool is_turn_of(const Schedule& schedule,
                                       const std::string& name_space,
                                       SteadyTime now);
  static void wait_for_turn(Schedule& schedule, const std::string& name_space, SteadyTime now);
  static void drop_past_turns(Schedule& schedule, SteadyTime now);
  void make_room(SteadyTime now);

  std::map<std::string, Found> found_;         // by query
  std::map<std::string, Schedule> schedules_;  // by backend
};

}  // namespace weir::scalers::read
