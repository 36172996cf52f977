// A circuit breaker: after a failure, queries get the last error at once instead of connecting, for
// a pause that doubles with each further failure. One attempt per pause is let through. Pure; owned
// by a connection or an HTTP origin.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <optional>

namespace weir::scalers::clients {

class Breaker {
 public:
  // The pause after a first failure, and the longest one.
  struct Pauses {
    Duration first;
    Duration longest;
  };
  // After refused credentials, because a broker may lock an account that tries more often.
  static constexpr Duration kRefusedPause{30'000};

  explicit Breaker(Pauses pauses) : pauses_(pauses) {}

  // The error to return instead of an attempt at `now`; nullopt: attempt it. An attempt starts the
  // pause again, so that other queries get the cached error while it is in flight.
  [[nodiscard]] std::optional<Error> cached_failure(SteadyTime now);
  void note_failure(const Error& why, SteadyTime now);
  void note_success() { failure_.reset(); }

  // True between a failure and the next success.
  [[nodiscard]] bool is_tripped() const { return failure_.has_value(); }
  // The last failure; nullopt since a success.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // True when the last failure was about credentials or permissions.
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
