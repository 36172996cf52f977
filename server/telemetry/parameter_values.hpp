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
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {

// A set that no read has reported a value for within this time is not in use any more. The value
// itself may be older: a fallback holds it.
inline constexpr std::chrono::hours kParametersInUse{1};
// A set that was not read for so long gives way to a new one. An HPA reads every 15 s by default.
inline constexpr std::chrono::minutes kReplaceable{2};

[[nodiscard]] inline double age_seconds(WallTime taken_at, WallTime now) {
  return std::max(0.0, std::chrono::duration<double>(now - taken_at).count());
}

class ParameterValues {
 public:
  // At most `capacity` sets; 0: none. One namespace has at most a fifth of them. Without room a new
  // set replaces the least recently read one, of its namespace or else of the one with most sets,
  // unless that was read within kReplaceable: replacing sets in use would make a series of each
  // read, and a slow one.
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
    values_.erase_if([this, now](Value& value) {
      if (value.reported_before == page_) value.reported_at = now;
      return now - value.reported_at >= kParametersInUse;
    });
    ++page_;
    page_at_ = now;
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
  // Whether a new set of the namespace may be added, in place of one that is not in use.
  [[nodiscard]] bool has_room(std::string_view name_space);

  struct Value {
    FamilyId family;
    std::string backend;
    std::string metric;
    std::string name_space;  // of the caller
    std::string labels;      // as the page has them: name="value",...
    double value;
    WallTime taken_at;
    std::uint64_t reported_before;  // the number of the page after the last read
    WallTime reported_at = {};      // of the last read, as of that page
  };

  std::size_t capacity_;
  scalers::Lru<Value> values_;
  std::uint64_t page_ = 0;  // the number of the next page
  WallTime page_at_;        // of the last page
  // The page before which no set was found that a new one may replace: none is searched again.
  std::optional<std::uint64_t> full_before_;
  scalers::KeyWriter key_;  // a member, so that a read allocates no key
};

}  // namespace weir::server
