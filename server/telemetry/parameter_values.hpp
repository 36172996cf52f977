// The last values of metrics with parameters: one for each set of parameters in use, of which
// callers may invent any number. Bounded, and fair between namespaces. Part of Telemetry; loop
// thread only.
#pragma once

#include "scalers/lru.hpp"
#include "scalers/read/world.hpp"
#include "scalers/reading.hpp"
#include "scalers/text/key_writer.hpp"
#include "server/telemetry/text.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {

// A set that no read has reported a value for within this time is not in use any more. The value
// itself may be older: a fallback holds it.
inline constexpr std::chrono::hours kParametersInUse{1};

[[nodiscard]] inline double age_seconds(WallTime taken_at, WallTime now) {
  return std::max(0.0, std::chrono::duration<double>(now - taken_at).count());
}

class ParameterValues {
 public:
  // At most `capacity` sets, the least recently read leave first; 0: none. One namespace has at
  // most a fifth of them.
  explicit ParameterValues(std::size_t capacity);

  // Which series the values of a metric become. Two metrics of one name and backend, for different
  // namespaces, have the same family; a metric whose labels a reload changes gets another.
  using FamilyId = std::uint32_t;

  // `is_any_namespace`: the value is the same for every namespace, and is labelled "*".
  void set(FamilyId family,
           const scalers::ReadOf& of,
           const scalers::Reading& reading,
           bool is_any_namespace);
  // Forgets the values that `is_served(FamilyId, const scalers::ReadOf&)` is false for.
  template <class IsServed>
  void erase_unless(IsServed is_served) {
    values_.erase_if([&](const Value& value) {
      return !is_served(
          value.family,
          scalers::ReadOf{{}, nullptr, value.backend, value.metric, value.name_space});
    });
  }
  // Forgets the sets that are not in use at `now`. Called once a page: the time of a read is that
  // of the next page, so that a read needs no clock.
  void expire(WallTime now) {
    values_.erase_if([now](Value& value) {
      if (std::exchange(value.is_reported, false)) value.reported_at = now;
      return now - value.reported_at >= kParametersInUse;
    });
  }
  // Adds a series with `number_of(value, taken_at)` for each set, in the order of their labels.
  template <class NumberOf>
  void append_to(FamilyText& text, NumberOf number_of) const {
    std::vector<const Value*> in_use;
    values_.for_each([&](const Value& value) { in_use.push_back(&value); });
    std::ranges::sort(in_use, {}, [](const Value* value) -> const std::string& {
      return value->labels;
    });
    for (const Value* value : in_use)
      text.add(value->labels, number_of(value->value, value->taken_at));
  }

 private:
  struct Value {
    FamilyId family;
    std::string backend;
    std::string metric;
    std::string name_space;  // of the caller
    std::string labels;      // as the page has them: name="value",...
    double value;
    WallTime taken_at;
    WallTime reported_at = {};  // of the last read, as of the page after it
    bool is_reported = true;    // since the last page
  };

  std::size_t capacity_;
  scalers::Lru<Value> values_;
  scalers::KeyWriter key_;  // a member, so that a read allocates no key
};

}  // namespace weir::server
