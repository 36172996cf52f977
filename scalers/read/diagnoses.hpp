// What is known of why questions fail: causes found in the background, kept, and shown from the
// next failing read on. Decides when a look is due and whose turn it is; who looks is the reader.
// Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers::read {

// A cause is shown for this long, and looked for again after a while of further failures, sooner
// when none was found.
inline constexpr Duration kCauseKept{120'000};
inline constexpr Duration kCauseRenewed{30'000};
inline constexpr Duration kNoCauseRenewed{5000};
// Between the beginnings of two looks at one backend; never are two under way there.
inline constexpr Duration kLookPause{1000};
inline constexpr Duration kLookBudget{5000};
// A namespace that found no turn keeps its place for this long: an HPA asks every 15 s.
inline constexpr Duration kTurnKept{20'000};
// For how long one namespace leaves a place to another that had a look within kTurnKept.
inline constexpr Duration kTurnPause{5000};
inline constexpr std::size_t kMaxCauses = 1000;
inline constexpr std::size_t kMaxTurns = 100;  // namespaces that are known of one backend

class Diagnoses {
 public:
  // Why the question `key` failed with `code`, as a clause; empty when that is not known.
  [[nodiscard]] std::string_view cause(const std::string& key, Errc code, SteadyTime now) const;
  // Whether to look for the cause at this moment. True begins a look, which end() ends. False also
  // while another namespace waits whose last turn there was before that of `name_space`: for
  // kTurnPause, and as long as it waits when it had none within kTurnKept.
  [[nodiscard]] bool begin(const std::string& backend,
                           const std::string& key,
                           const std::string& name_space,
                           SteadyTime now);
  // Where kMaxCauses are kept, the namespace with the most of them loses its oldest.
  void end(const std::string& backend,
           const std::string& key,
           Errc code,
           std::string cause,
           SteadyTime now);
  // The question was answered: its cause is past.
  void forget(const std::string& key) { found_.erase(key); }

 private:
  struct Found {
    Errc code;
    std::string cause;
    SteadyTime at;
    std::string name_space;
  };
  struct Turn {
    std::optional<SteadyTime> had;      // when its last look began
    std::optional<SteadyTime> awaited;  // when it last failed and found no turn
  };
  struct Look {
    bool is_under_way = false;
    std::optional<SteadyTime> begun;
    std::string name_space;             // of the last one
    std::map<std::string, Turn> turns;  // by namespace
  };
  [[nodiscard]] static bool is_turn_of(const Look& look,
                                       const std::string& name_space,
                                       SteadyTime now);
  static void wait_for_turn(Look& look, const std::string& name_space, SteadyTime now);
  static void drop_past_turns(Look& look, SteadyTime now);
  void make_room(SteadyTime now);

  std::map<std::string, Found> found_;  // by question
  std::map<std::string, Look> looks_;   // by backend
};

}  // namespace weir::scalers::read
