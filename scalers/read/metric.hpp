// The parts that the reader serves from: configured backends and metrics, built by
// scalers/read/world.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/kind.hpp"
#include "scalers/read/concurrency_limiter.hpp"
#include "scalers/read/labels.hpp"
#include "scalers/read/policies.hpp"
#include "scalers/settings/node.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::scalers::read {

struct ConfiguredBackend {
  std::string name;       // as the configuration names it
  std::string_view kind;  // "prometheus"
  std::unique_ptr<Backend> backend;
  std::shared_ptr<ConcurrencyLimiter> limiter;  // second owner: the permits under way
  bool is_down = false;           // the last query failed because of the backend itself
  SteadyTime last_response_at{};  // of whatever kind
  bool is_unreachable = false;    // could not be reached or timed out; no response since
  std::optional<SteadyTime> recovered_at = {};  // its first response after that
};

struct Metric {
  std::string name;
  Mark mark;                            // where its entry stands
  std::vector<std::string> namespaces;  // sorted; "*" alone means every namespace
  std::vector<DeclaredLabel> labels;
  bool is_per_namespace = false;  // its question holds $(namespace)
  Duration freshness{5000};
  Duration deadline{2500};
  Policies policies;
  ConfiguredBackend* backend = nullptr;  // owned beside the metrics, never null once built
  std::unique_ptr<Scaler> scaler;

  [[nodiscard]] bool serves(std::string_view name_space) const;
};

}  // namespace weir::scalers::read
