// A cheap preselection by common prefix and suffix comes before the quadratic edit distance.
#include "scalers/text/near_names.hpp"

#include "scalers/text/redact.hpp"
#include "scalers/text/suggest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace weir::scalers {
namespace {

// The same limit as in nearest().
constexpr std::size_t kLongestCompared = 128;

struct Candidate {
  std::size_t difference;  // letters of the longer name outside of the common prefix and suffix
  std::string_view name;
};

// ASCII only and without the locale, because this runs for each letter of 10,000 names.
char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same_letter(char a, char b) { return a == b || folded(a) == folded(b); }

Candidate candidate(std::string_view wanted, std::string_view name) {
  const std::string_view cut = name.substr(0, kLongestCompared);
  const std::size_t shorter = std::min(wanted.size(), cut.size());
  std::size_t prefix = 0;
  while (prefix < shorter && is_same_letter(wanted[prefix], cut[prefix])) ++prefix;
  std::size_t suffix = 0;
  // Prefix and suffix must not overlap: the difference would be below zero.
  while (prefix + suffix < shorter &&
         is_same_letter(wanted[wanted.size() - 1 - suffix], cut[cut.size() - 1 - suffix]))
    ++suffix;
  return {std::max(wanted.size(), cut.size()) - prefix - suffix, name};
}

}  // namespace

std::vector<std::string_view> likely_names(std::string_view wanted,
                                           std::span<const std::string_view> names) {
  const std::string_view cut = wanted.substr(0, kLongestCompared);
  std::vector<Candidate> candidates;
  candidates.reserve(names.size());
  for (const std::string_view name : names) candidates.push_back(candidate(cut, name));
  const std::size_t most = std::min(candidates.size(), kMostCompared);
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(most);
  std::ranges::partial_sort(candidates, end, {}, &Candidate::difference);
  std::vector<std::string_view> out;
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < most; ++i) {
    const std::string_view name = candidates[i].name;
    pairs += cut.size() * std::min(name.size(), kLongestCompared);
    if (pairs > kMostPairs) break;
    out.push_back(name);
  }
  return out;
}

std::string near_names(NameOrigin origin,
                       std::string_view wanted,
                       std::span<const std::string_view> names,
                       Diagnosis& out) {
  const std::vector<std::string_view> likely = likely_names(wanted, names);
  if (origin == NameOrigin::configuration) return remote_text(did_you_mean(wanted, likely), {});
  const std::vector<std::string> near = nearest(wanted, likely);
  if (near.empty()) return {};
  out.findings.push_back(
      remote_text(fmt::format("similar names: \"{}\"", fmt::join(near, "\", \"")), {}));
  return fmt::format("; weir explain lists {} similar name{}",
                     near.size(),
                     near.size() == 1 ? "" : "s");
}

}  // namespace weir::scalers
