// Single flight, also called request coalescing: while the work for a key is in flight, callers
// with the same key wait for its result instead of starting the work again. The owner starts the
// work; this class only knows who waits for what. Results are not cached: a key whose work has
// ended is forgotten. Keys are texts. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/keyed_hash.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

namespace weir::scalers {

template <class Key, class Value>
class SingleFlight {
 public:
  // One piece of work in flight, and its result once it has ended.
  class InFlight {
   public:
    InFlight(Loop& loop, SteadyTime started_at, Duration given)
        : started(started_at), budget(given), done_(loop) {}

    // True when the work ends before `deadline`, which is the waiter's own: one that is late leaves
    // the work to the others. The caller holds its InFlightPtr until the wait ends.
    [[nodiscard]] awaitable<bool> wait(Deadline deadline, SteadyTime now) {
      return done_.wait(deadline.left(now));
    }
    // Empty while the work is in flight, and for good when it was abandoned.
    [[nodiscard]] const std::optional<Value>& value() const { return value_; }

    // Ends the work with `value`; nothing happens when it has ended already. In this order: the key
    // is forgotten, so that the next caller starts again; the value is stored, because waiters read
    // it as soon as they wake; the waiters are woken. Valid also after the SingleFlight is gone.
    void complete(Value value) {
      if (is_ended_) return;
      const auto kept = forget();
      value_.emplace(std::move(value));
      end();
    }
    // Ends the work without a value, because there will never be one.
    void abandon() {
      if (is_ended_) return;
      const auto kept = forget();
      end();
    }

    const SteadyTime started;
    const Duration budget;  // how long the caller that started it gives it

   private:
    friend class SingleFlight;

    // The map's pointer, because the map may be the last owner of this object.
    [[nodiscard]] std::shared_ptr<InFlight> forget() {
      if (owner_ == nullptr) return nullptr;
      auto& in_flight = std::exchange(owner_, nullptr)->in_flight_;
      const auto found = in_flight.find(*key_);
      auto kept = std::move(found->second);
      in_flight.erase(found);
      return kept;
    }
    void end() {
      is_ended_ = true;
      done_.raise();
    }

    Signal done_;
    std::optional<Value> value_;
    bool is_ended_ = false;
    SingleFlight* owner_ = nullptr;  // null once the key is forgotten or names newer work
    const Key* key_ = nullptr;       // in the map of owner_, valid while that is set
  };
  // Second owners: the coroutine that does the work and those that wait for it. They may outlive
  // the SingleFlight.
  using InFlightPtr = std::shared_ptr<InFlight>;

  // The duty to end a piece of work: abandons it when it is destroyed before complete(), so that
  // nobody waits for a result that cannot come. Made where the work is started and passed to the
  // coroutine that does it, because the coroutine's own allocation may fail.
  class Run {
   public:
    explicit Run(InFlightPtr in_flight) : in_flight_(std::move(in_flight)) {}
    Run(Run&&) noexcept = default;
    Run& operator=(Run&&) = delete;
    ~Run() {
      if (in_flight_ != nullptr) in_flight_->abandon();
    }

    void complete(Value value) const { in_flight_->complete(std::move(value)); }

   private:
    InFlightPtr in_flight_;
  };

  struct Joined {
    InFlightPtr in_flight;
    bool is_started;  // the caller has to do the work: nobody else does
  };

  // `loop` outlives every wait.
  explicit SingleFlight(Loop& loop) : loop_(loop) {}
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;
  ~SingleFlight() { abandon_all(); }

  // The work in flight for `key`, if there is any and `may_join(const InFlight&)` accepts it; else
  // new work. Work that was not accepted goes on for those who wait for it, and later callers find
  // the new one.
  template <class MayJoin>
  [[nodiscard]] Joined join_or_start(const Key& key,
                                     SteadyTime now,
                                     Duration budget,
                                     MayJoin may_join) {
    auto found = in_flight_.find(key);
    if (found != in_flight_.end() && may_join(std::as_const(*found->second)))
      return {found->second, false};
    const auto started = std::make_shared<InFlight>(loop_, now, budget);
    if (found == in_flight_.end()) {
      found = in_flight_.emplace(key, started).first;
    } else {
      std::exchange(found->second, started)->owner_ = nullptr;
    }
    started->owner_ = this;
    started->key_ = &found->first;
    return {started, true};
  }
  // The same for work that every caller may join.
  [[nodiscard]] Joined join_or_start(const Key& key, SteadyTime now, Duration budget) {
    return join_or_start(key, now, budget, [](const InFlight&) { return true; });
  }
  // nullptr when no work is in flight for `key`.
  [[nodiscard]] InFlightPtr find(const Key& key) const {
    const auto found = in_flight_.find(key);
    return found == in_flight_.end() ? nullptr : found->second;
  }
  // Keys with work in flight.
  [[nodiscard]] std::size_t size() const { return in_flight_.size(); }
  // Wakes everybody who waits, without a value.
  void abandon_all() {
    for (const auto& [key, in_flight] : std::exchange(in_flight_, {})) {
      in_flight->owner_ = nullptr;
      in_flight->abandon();
    }
  }

 private:
  Loop& loop_;
  std::unordered_map<Key, InFlightPtr, KeyedHash> in_flight_;  // never null
};

}  // namespace weir::scalers
