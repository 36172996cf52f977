// The shared words of a metric read: what is asked (Query), what comes back (Reading), and who
// answers (Source). Nothing here knows Kubernetes' wire forms or any kind of backend.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <map>
#include <string>
#include <vector>

namespace weir::scalers {

// Name and value of each bound label, sorted by name.
using Labels = std::map<std::string, std::string>;

// One requirement of a label selector; all requirements of a selector must hold.
struct LabelRequirement {
  enum class Operator {
    in,
    not_in,
    equals,
    double_equals,
    not_equals,
    exists,
    does_not_exist,
    greater_than,
    less_than
  };

  std::string key;
  Operator op;
  std::vector<std::string>
      values;  // sorted, without duplicates; empty for exists and does_not_exist

  friend bool operator==(const LabelRequirement&, const LabelRequirement&) = default;
};

struct Query {
  std::string name_space;
  std::string metric;
  std::vector<LabelRequirement> labels;
};

// The first magnitude whose thousandfold overflows the HPA's int64: Kubernetes reads 0 from here
// on. The int64 limit itself, 9223372036854775.807, lies between two doubles; every one below this
// fits.
inline constexpr double kTooLargeValue = 9223372036854776.0;

// Whether an HPA can read `value`: finite, and below that magnitude.
[[nodiscard]] constexpr bool is_representable(double value) {
  return value > -kTooLargeValue && value < kTooLargeValue;
}

// One measured number, after the metric's policies: finite, and of a magnitude below
// 9223372036854776, whose thousandths fit the HPA's int64.
struct Reading {
  Labels labels;  // the bound parameters
  double value;
  WallTime taken_at;  // when the backend was asked; for PromQL the evaluation time
};

// Answers metric reads. Runs on the loop.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // One reading per asked combination of label values, never an empty list; or the first error
  // among them. Answers by `deadline`, or by the metric's own if that is earlier. Any Errc.
  [[nodiscard]] virtual awaitable<Result<std::vector<Reading>>> read(Query query,
                                                                     Deadline deadline) = 0;
};

}  // namespace weir::scalers
