// Edit distances, with cheap lower bounds first because the wanted name comes from a caller.
#include "scalers/text/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace weir::scalers {
namespace {

// Longer names are cut, because the distance is quadratic.
constexpr std::size_t kLongestName = 128;

std::string folded(std::string_view name) {
  std::string out(name.substr(0, kLongestName));
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return c == '-' || c == '.' ? '_' : static_cast<char>(std::tolower(c));
  });
  return out;
}

// Insertions, deletions, replacements, and two neighbours swapped, each counting one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return table[i * width + j];
  };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return table.back();
}

// The number of letters that one name has and the other does not, whichever is larger. Linear, and
// never more than the edit distance.
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::array<int, 256> surplus{};
  for (const char c : a) ++surplus[static_cast<unsigned char>(c)];
  for (const char c : b) --surplus[static_cast<unsigned char>(c)];
  std::size_t only_in_a = 0;
  std::size_t only_in_b = 0;
  for (const int count : surplus) {
    (count > 0 ? only_in_a : only_in_b) += static_cast<std::size_t>(count > 0 ? count : -count);
  }
  return std::max(only_in_a, only_in_b);
}

}  // namespace

std::vector<std::string> nearest(std::string_view wanted,
                                 std::span<const std::string_view> names,
                                 std::size_t most) {
  const std::string from = folded(wanted);
  std::vector<std::pair<std::size_t, std::string>> matches;
  for (const std::string_view name : names) {
    const std::string to = folded(name);
    // About one error per three letters, and one in the shortest names.
    const std::size_t allowed =
        std::max<std::size_t>(1, (std::max(from.size(), to.size()) + 1) / 3);
    // Shorter texts are a part of too many names.
    const bool is_part = from.size() >= 4 && (to.find(from) != to.npos ||
                                              (to.size() >= 4 && from.find(to) != from.npos));
    const std::size_t difference =
        std::max(from.size(), to.size()) - std::min(from.size(), to.size());
    // Skips names whose length or letters rule out a small distance, because there may be
    // thousands.
    if (difference > allowed && !is_part) continue;
    if (!is_part && letters_apart(from, to) > allowed) continue;
    const std::size_t distance = difference > allowed ? difference : edit_distance(from, to);
    if (distance <= allowed || is_part) matches.emplace_back(distance, name);
  }
  std::ranges::sort(matches);
  std::vector<std::string> out;
  for (auto& [distance, name] : matches) {
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
