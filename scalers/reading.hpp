// The shared words of a metric read: what is asked (Query), what comes back (Reading), and who
// answers (Source). Nothing here knows Kubernetes' wire forms or any kind of backend.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// Name and value of each label, sorted by name.
using Labels = std::map<std::string, std::string>;

// The built-in parameter: the namespace of the HPA that asks.
inline constexpr std::string_view kNamespaceParameter = "namespace";

// What a query may depend on: the namespace and the bound labels, of which none is called
// "namespace".
struct Parameters {
  std::string name_space;
  Labels labels = {};

  // The value of `name`, which is kNamespaceParameter or one of the labels.
  [[nodiscard]] const std::string& at(const std::string& name) const {
    return name == kNamespaceParameter ? name_space : labels.at(name);
  }

  friend bool operator==(const Parameters&, const Parameters&) = default;
};

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

// The place of a metric in the configuration, from 0 on without gaps. A reload gives new ones, so
// an id that was found earlier is checked against the metric's name before it is used.
enum class MetricId : std::uint32_t {};

struct Query {
  std::string name_space;
  std::string metric;
  std::vector<LabelRequirement> labels;
  std::optional<MetricId> id = {};  // what Source::find() returned for `metric`; nullopt: not known
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
  Labels labels;  // the bound parameters, and those of the sample
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

  // Where `metric` is in the configuration, to look its name up once a request; nullopt when it is
  // not configured, and from a source that keeps no index.
  [[nodiscard]] virtual std::optional<MetricId> find(std::string_view /*metric*/) const {
    return std::nullopt;
  }
  // The name as the configuration spells it; `metric` itself when it is not configured. `id` as of
  // find().
  [[nodiscard]] virtual std::string spelling_of(std::string_view metric,
                                                std::optional<MetricId> /*id*/) const {
    return std::string(metric);
  }
  // One reading for each selected combination of label values, never an empty list; or the first
  // error among them. Returns by `deadline`, or by the metric's own if that is earlier. Any Errc.
  [[nodiscard]] virtual awaitable<Result<std::vector<Reading>>> read(Query query,
                                                                     Deadline deadline) = 0;
};

}  // namespace weir::scalers
