// The names of the configured metrics, each id's name once, in one text: what the reader finds
// metrics by, and what telemetry's counts are labelled with. Immutable, so that both share it.
#pragma once

#include "scalers/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

class MetricIndex {
 public:
  MetricIndex() = default;
  // `names` by MetricId. A name may be there several times, for different namespaces.
  explicit MetricIndex(std::span<const std::string_view> names);

  // The first metric called `name`, without regard to case, because the client of an HPA writes the
  // name into the path in lower case; nullopt when there is none. `known` is an earlier result,
  // which a reload may have made wrong: when it still fits, it saves the search.
  [[nodiscard]] std::optional<MetricId> find(std::string_view name,
                                             std::optional<MetricId> known = {}) const;
  // The next metric of the same name; nullopt after the last.
  [[nodiscard]] std::optional<MetricId> next(MetricId id) const;
  // Valid as long as the index.
  [[nodiscard]] std::string_view name(MetricId id) const;
  // The first metric of each name, in the order of the names.
  [[nodiscard]] std::span<const MetricId> by_name() const { return by_name_; }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }

 private:
  std::string text_;                 // the names, one after the other
  std::vector<std::uint32_t> ends_;  // of each name in the text
  std::vector<MetricId> by_name_;
  std::vector<MetricId> first_;  // by id: the first metric of its name
  std::vector<MetricId> next_;   // by id: the next of its name, or itself when it is the last
};

}  // namespace weir::scalers
