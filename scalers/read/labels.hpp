// A metric's declared labels, and what an HPA's selector means for it: it binds declared labels, or
// filters the labelled samples of the answer. Pure.
#pragma once

#include "scalers/error.hpp"
#include "scalers/reading.hpp"
#include "scalers/settings/pattern.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::scalers::read {

struct DeclaredLabel {
  std::string name;
  Pattern pattern;                      // a value must match it as a whole
  std::optional<std::string> fallback;  // the value when the selector does not name the label
};

// The HPA sums what a list answers; more values than this in one selector are refused.
inline constexpr std::size_t kMaxBoundCombinations = 16;

// One set of labels for each combination of the values that `requirements` allow, in the order of
// the values. Errc::bad_request: an undeclared label, a declared one without a value, an operator
// other than =, == and in, a value that the pattern refuses, requirements that exclude each other,
// or more than kMaxBoundCombinations combinations.
[[nodiscard]] Result<std::vector<Labels>> bind_labels(
    std::span<const DeclaredLabel> declared,
    std::span<const LabelRequirement> requirements);

// Whether `labels` fulfil every requirement, by Kubernetes' semantics: notin and != also match
// labels without the key; > and < compare integers and match nothing else.
[[nodiscard]] bool matches(std::span<const LabelRequirement> requirements, const Labels& labels);

// How a metric uses selectors.
enum class SelectorMode {
  bind,   // they set its parameters
  filter  // they choose among the samples of one answer
};

// A selector as the read path needs it: one query for each set of bound labels, and the
// requirements that the samples of its answer have to fulfil.
struct Selection {
  std::vector<Labels> bound;  // never empty
  std::vector<LabelRequirement> filter;
};

// Errors as bind_labels(); a filter has none.
[[nodiscard]] Result<Selection> select(SelectorMode mode,
                                       std::span<const DeclaredLabel> declared,
                                       std::span<const LabelRequirement> requirements);

}  // namespace weir::scalers::read
