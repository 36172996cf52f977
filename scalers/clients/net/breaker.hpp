// Keeps a server that failed from being tried with every question: for a pause that grows with each
// failure, whoever asks gets the last error at once. One try a pause is let through. Pure; owned by
// a connection or an origin.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <optional>

namespace weir::scalers::clients {

class Breaker {
 public:
  // The pause behind a first failure, and the longest.
  struct Pauses {
    Duration first;
    Duration longest;
  };
  // Behind refused credentials: a broker may lock an account that tries more often.
  static constexpr Duration kRefusedPause{30'000};

  explicit Breaker(Pauses pauses) : pauses_(pauses) {}

  // The error that stands for a try at `now`; nullopt: try. Behind a failure the pause starts anew
  // with the try, so that others are refused while it is under way.
  [[nodiscard]] std::optional<Error> stand_in(SteadyTime now);
  void note_failure(const Error& why, SteadyTime now);
  void note_success() { failure_.reset(); }

  // True between a failure and the next success.
  [[nodiscard]] bool is_tripped() const { return failure_.has_value(); }
  // True when the failure is one of credentials, or of what they may.
  [[nodiscard]] bool is_refused() const {
    return failure_ && (failure_->code == Errc::refused || failure_->code == Errc::forbidden);
  }

 private:
  Pauses pauses_;
  std::optional<Error> failure_;
  Duration pause_{0};
  SteadyTime retry_at_{};
};

}  // namespace weir::scalers::clients
