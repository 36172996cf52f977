#include "scalers/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace weir::scalers {
namespace {

// Longer names are cut: the distance is quadratic and the wanted name comes from a caller.
constexpr std::size_t kLongestName = 128;

std::string folded(std::string_view name) {
  std::string out(name.substr(0, kLongestName));
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return c == '-' || c == '.' ? '_' : static_cast<char>(std::tolower(c));
  });
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> nearest(std::string_view wanted,
                                 std::span<const std::string_view> names,
                                 std::size_t most) {
  const std::string from = folded(wanted);
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string_view name : names) {
    const std::string to = folded(name);
    const std::size_t allowed =
        std::max<std::size_t>(1, (std::max(from.size(), to.size()) + 1) / 3);
    const bool is_part = from.size() >= 4 && (to.find(from) != to.npos ||
                                              (to.size() >= 4 && from.find(to) != from.npos));
    const std::size_t distance = edit_distance(from, to);
    if (distance <= allowed || is_part) found.emplace_back(distance, name);
  }
  std::ranges::sort(found);
  std::vector<std::string> out;
  for (auto& [distance, name] : found) {
    if (out.size() == most) break;
    out.push_back(std::move(name));
  }
  return out;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string_view> names) {
  const auto near = nearest(wanted, names);
  if (near.empty()) return {};
  std::string out = "; did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (i > 0) out += i + 1 == near.size() ? " or " : ", ";
    out += fmt::format("\"{}\"", near[i]);
  }
  return out + "?";
}

}  // namespace weir::scalers
