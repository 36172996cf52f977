// Which reads of a backend fail at this moment, for the log: a line when one begins to fail and one
// when it works again, however often it is read in between. Callers choose the parameters of a
// read, so entries and lines are bounded, and shared fairly between namespaces. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/lru.hpp"
#include "scalers/reading.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::read {

// Failing reads of a backend that are remembered, in all and of one namespace. Beyond that the
// namespace with most of them forgets the one that was read least recently.
inline constexpr std::size_t kMaxFailing = 1000;
inline constexpr std::size_t kMaxFailingOfNamespace = 100;
// A read that nobody repeats is forgotten after this long, without a line.
inline constexpr Duration kFailureKept{600'000};

// For how long a failure that is not read again is shown as current: an HPA reads every 15 s, but
// another replica may get its reads.
inline constexpr Duration kFailureShown{60'000};

// Log lines about failing reads: so many at once, and then one for each span.
struct LineRate {
  double burst;
  Duration span;
};
inline constexpr LineRate kLinesOfNamespace{20, Duration{3000}};
inline constexpr LineRate kLinesOfBackend{100, Duration{500}};

// A metric, and a set of its parameters.
struct FailingRead {
  std::string name_space;
  std::string metric;
  std::string labels;                         // for people: "queue=orders,vhost=/"; empty: none
  std::vector<LabelRequirement> filter = {};  // of a metric whose selector filters samples

  friend bool operator==(const FailingRead&, const FailingRead&) = default;
};

class FailingReads {
 public:
  struct Failure {
    FailingRead read;
    std::string key;  // of its query
    Error error;      // of its last read
    SteadyTime since;
    SteadyTime last_at;
    std::optional<Errc> logged = {};  // the code of the last line; nullopt: no line so far
    bool has_logged_cause = false;
  };

  // A read failed with `error`. The failure when a line is due: for a new failure, another code, or
  // a cause that the last line did not have; nullptr otherwise, and while the lines are used up,
  // which a later read makes up for. `awaits_cause`: a diagnosis is running, and take_diagnosed()
  // will be called with its result. Valid until the next call of another function.
  [[nodiscard]] const Failure* note(FailingRead read,
                                    const std::string& key,
                                    const Error& error,
                                    bool has_cause,
                                    bool awaits_cause,
                                    SteadyTime now);
  // The diagnosis of the query `key` ended: the failures with `code` whose line has waited for it.
  [[nodiscard]] std::vector<Failure> take_diagnosed(const std::string& key,
                                                    Errc code,
                                                    bool has_cause,
                                                    SteadyTime now);

  // Removes the failures of the query `key`, or of the same read under an earlier configuration,
  // for which `is_value(const FailingRead&)` is true, and returns those that have a line.
  template <class IsValue>
  [[nodiscard]] std::vector<Failure> take_recovered(const std::string& key,
                                                    const FailingRead& read,
                                                    IsValue is_value) {
    std::vector<Failure> out;
    failures_.erase_if([&](Failure& failure) {
      // Metrics may share a query, and a reload may give a metric another one.
      const bool is_same = failure.key == key || is_same_read(failure.read, read);
      if (!is_same || !is_value(failure.read)) return false;
      if (failure.logged) out.push_back(std::move(failure));
      return true;
    });
    return out;
  }

  // Removes and returns the failures whose metric has another backend since a reload:
  // `has_moved(const FailingRead&)`. adopt() of that backend's object takes each.
  template <class HasMoved>
  [[nodiscard]] std::vector<Failure> take_moved(HasMoved has_moved) {
    std::vector<Failure> out;
    failures_.erase_if([&](Failure& failure) {
      if (!has_moved(std::as_const(failure.read))) return false;
      out.push_back(std::move(failure));
      return true;
    });
    return out;
  }
  void adopt(Failure failure);

  // Calls `visit(const Failure&)` with each failure that was read within kFailureShown.
  template <class Visit>
  void for_each_current(SteadyTime now, Visit visit) const {
    failures_.for_each([&](const Failure& failure) {
      if (now - failure.last_at < kFailureShown) visit(failure);
    });
  }
  // True in the usual case: a successful query has nothing to do then.
  [[nodiscard]] bool is_empty() const { return failures_.size() == 0; }
  [[nodiscard]] std::size_t size() const { return failures_.size(); }

 private:
  // What is left of a LineRate.
  struct Budget {
    double lines;
    SteadyTime at;
  };

  [[nodiscard]] static bool is_same_read(const FailingRead& left, const FailingRead& right) {
    return left.name_space == right.name_space && left.metric == right.metric &&
           left.labels == right.labels;
  }
  // Takes a line from the budgets of the namespace and of the backend; false: none is left.
  [[nodiscard]] bool take_line(const std::string& name_space, SteadyTime now);
  static void refill(Budget& budget, const LineRate& rate, SteadyTime now);
  // Drops what nobody reads any more.
  void forget_unread(SteadyTime now);

  Lru<Failure> failures_{kMaxFailing, kMaxFailingOfNamespace};
  std::map<std::string, Budget, std::less<>> budgets_;  // by namespace; only those in use
  Budget of_backend_{kLinesOfBackend.burst, SteadyTime{}};
  SteadyTime forgot_at_{};
};

// "queue=orders,vhost=/".
[[nodiscard]] std::string text_of(const Labels& labels);
// The same for the requirements of a selector that filters: "code!=200,job in (a,b)".
[[nodiscard]] std::string text_of(const std::vector<LabelRequirement>& filter);

}  // namespace weir::scalers::read
