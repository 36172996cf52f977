#include "server/telemetry/names.hpp"

#include <algorithm>

namespace weir::server {

MetricNames::MetricNames(const std::vector<scalers::MetricInfo>& metrics) {
  std::vector<std::string_view> names;
  names.reserve(metrics.size());
  for (const scalers::MetricInfo& metric : metrics) names.emplace_back(metric.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::unique(names);
  names.erase(twice.begin(), twice.end());
  ends_.reserve(names.size());
  for (const std::string_view name : names) {
    text_ += name;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  text_.shrink_to_fit();
}

std::optional<std::size_t> MetricNames::find(std::string_view name) const {
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const int order = (*this)[middle].compare(name);
    if (order == 0) return middle;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

std::string_view MetricNames::operator[](std::size_t place) const {
  const std::size_t begin = place == 0 ? 0 : ends_[place - 1];
  return std::string_view(text_).substr(begin, ends_[place] - begin);
}

}  // namespace weir::server
