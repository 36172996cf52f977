// What is known of why questions fail: causes found in the background, kept, and shown from the
// next failing read on. Decides when a look is due; who looks is the reader. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <map>
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
inline constexpr std::size_t kMaxCauses = 1000;

class Diagnoses {
 public:
  // Why the question `key` failed with `code`, as a clause; empty when that is not known.
  [[nodiscard]] std::string_view cause(const std::string& key, Errc code, SteadyTime now) const;
  // Whether to look for the cause at this moment. True begins a look, which end() ends.
  [[nodiscard]] bool begin(const std::string& backend, const std::string& key, SteadyTime now);
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
  };
  struct Look {
    bool is_under_way = false;
    SteadyTime begun{};
  };
  void drop_past(SteadyTime now);

  std::map<std::string, Found> found_;  // by question
  std::map<std::string, Look> looks_;   // by backend
};

}  // namespace weir::scalers::read
