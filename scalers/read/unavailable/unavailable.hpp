// Backends and metrics that the configuration names and that cannot be used: every read of them is
// one error, while all others are served. Loop thread only.
#pragma once

#include "scalers/error.hpp"
#include "scalers/kind.hpp"
#include "scalers/read/metric.hpp"
#include "scalers/settings/node.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::read {

// Each query of its scalers fails with `why`. It does not check their blocks.
[[nodiscard]] std::unique_ptr<Backend> make_unavailable(Error why);

// What can be read of a file that has problems and is not in use.
struct NamedMetric {
  std::string name;
  std::vector<std::string> namespaces;  // sorted; {"*"} when they cannot be read
  Mark mark;
};
[[nodiscard]] std::vector<NamedMetric> metrics_named_in(const Node& document);

struct NamedBackend {
  std::string name;
  std::string_view kind;  // of the catalog; empty when it cannot be read
};
[[nodiscard]] std::vector<NamedBackend> backends_named_in(const Node& document);

}  // namespace weir::scalers::read
