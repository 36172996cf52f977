// The look-up of a metric by name: a binary search over compact text, because a configuration may
// hold ten thousand names and every request needs one.
#include "scalers/read/metric_index.hpp"

#include "scalers/text/utf8.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers {
namespace {

std::size_t place_of(MetricId id) { return static_cast<std::size_t>(id); }

}  // namespace

MetricIndex::MetricIndex(std::span<const std::string_view> names) : by_name_(names.size()) {
  ends_.reserve(names.size());
  for (const std::string_view name : names) {
    text_ += name;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  // The index lives as long as its configuration, and spare capacity would, too.
  text_.shrink_to_fit();
  for (std::uint32_t id = 0; id < names.size(); ++id) by_name_[id] = MetricId{id};
  // Among equal names by id, so that first_ and next_ follow the order of the configuration.
  std::ranges::sort(by_name_, [this](MetricId left, MetricId right) {
    const int order = compare_ignoring_case(name(left), name(right));
    return order != 0 ? order < 0 : left < right;
  });
  first_.resize(names.size());
  next_.resize(names.size());
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    const MetricId id = by_name_[i];
    next_[place_of(id)] = id;
    first_[place_of(id)] = id;
    if (i == 0 || !equal_ignoring_case(name(by_name_[i - 1]), name(id))) continue;
    next_[place_of(by_name_[i - 1])] = id;
    first_[place_of(id)] = first_[place_of(by_name_[i - 1])];
  }
  const auto repeated = std::ranges::unique(by_name_, [this](MetricId left, MetricId right) {
    return equal_ignoring_case(name(left), name(right));
  });
  by_name_.erase(repeated.begin(), repeated.end());
}

std::optional<MetricId> MetricIndex::find(std::string_view name,
                                          std::optional<MetricId> known) const {
  // After a reload an id may be beyond the end, or another metric's.
  if (known && place_of(*known) < size() && equal_ignoring_case(this->name(*known), name))
    return first_[place_of(*known)];
  const auto before = [](std::string_view left, std::string_view right) {
    return compare_ignoring_case(left, right) < 0;
  };
  const auto found = std::ranges::lower_bound(by_name_, name, before, [this](MetricId id) {
    return this->name(id);
  });
  if (found == by_name_.end() || !equal_ignoring_case(this->name(*found), name))
    return std::nullopt;
  return *found;
}

std::optional<MetricId> MetricIndex::next(MetricId id) const {
  const MetricId following = next_[place_of(id)];
  return following == id ? std::nullopt : std::optional(following);
}

std::string_view MetricIndex::name(MetricId id) const {
  const std::size_t at = place_of(id);
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

}  // namespace weir::scalers
