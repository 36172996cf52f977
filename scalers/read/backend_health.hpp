// Whether a backend responds, as the answers to its queries show: says when it goes down and comes
// up, and since when it is back after an outage. Shared by the backends of two configurations while
// one replaces the other. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/read/answer.hpp"

#include <optional>
#include <string>
#include <utility>

namespace weir::scalers::read {

class BackendHealth {
 public:
  enum class Change { none, down, up };

  // Takes an answer of the backend into account, at the time it arrives.
  Change observe(const Answer& answer, SteadyTime now);

  // From the recovery of the backend to `answer`; nullopt when it had no outage. An outage is the
  // loss of a kept connection, whose recovery the client knows, or, where connections come and go,
  // queries that could not reach the backend or got no response. Call it before observe() takes the
  // same answer, which ends the outage.
  [[nodiscard]] std::optional<Duration> time_since_recovery(
      const Answer& answer,
      std::optional<SteadyTime> connection_recovered_at,
      SteadyTime now) const;

  // The last query failed because of the backend itself: unreachable, TLS, credentials, silence.
  [[nodiscard]] bool is_down() const { return is_down_; }
  // The opposite, for telemetry; nullopt when that query ended kFailureShown or longer ago, or
  // there was none, because a replica that gets no reads does not know.
  [[nodiscard]] std::optional<bool> is_up(SteadyTime now) const;
  // Whether a query within that time was refused because of its credentials.
  [[nodiscard]] bool was_refused(SteadyTime now) const;
  // How long the last downtime lasted, after Change::up.
  [[nodiscard]] Duration last_downtime() const { return last_downtime_; }

  // What is wrong with the files that the backend's settings name, with their paths; empty:
  // nothing.
  [[nodiscard]] const std::string& file_problem() const { return file_problem_; }
  // True when it is another one than before.
  bool note_file_problem(std::string problem);
  // Takes note of whether the credentials of the files are refused; true when that has changed.
  bool note_refused(bool is_refused) {
    return std::exchange(is_refused_, is_refused) != is_refused;
  }

 private:
  bool is_down_ = false;
  std::optional<SteadyTime> last_query_at_;  // the end of the last one that shows anything
  std::optional<SteadyTime> refused_at_;     // of the last one that was Errc::refused
  SteadyTime down_since_{};
  Duration last_downtime_{};
  bool is_unreachable_ = false;             // it did not respond to its last queries
  SteadyTime last_response_at_{};           // of any kind
  std::optional<SteadyTime> recovered_at_;  // its first response after it was unreachable
  std::string file_problem_;
  bool is_refused_ = false;
};

}  // namespace weir::scalers::read
