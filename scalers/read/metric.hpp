// The parts that the reader serves from: configured backends and metrics, built by
// scalers/read/world.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/kind.hpp"
#include "scalers/read/backend_health.hpp"
#include "scalers/read/concurrency_limiter.hpp"
#include "scalers/read/failures/failing_reads.hpp"
#include "scalers/read/labels.hpp"
#include "scalers/read/policies/policies.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::read {

struct ConfiguredBackend {
  std::string name;          // as the configuration names it; empty: see Builder::add_skipped
  Mark mark;                 // of its name
  std::string_view kind;     // "prometheus"
  std::size_t settings = 0;  // a hash of its own block, which says what server it is
  std::unique_ptr<Backend> backend;
  bool is_unavailable = false;                  // every query is an error of the configuration
  std::shared_ptr<ConcurrencyLimiter> limiter;  // second owner: the permits in use
  // Of explanations, which hold a permit of this one and of `limiter`. Owners as above.
  std::shared_ptr<ConcurrencyLimiter> explaining = {};
  // Second owner, of both: the backend of the same name in the configuration that replaces this
  // one.
  std::shared_ptr<BackendHealth> health = std::make_shared<BackendHealth>();
  // That the settings name. Second owners: the states of backends().
  std::shared_ptr<const std::vector<LocalFile>> files =
      std::make_shared<const std::vector<LocalFile>>();
  std::shared_ptr<FailingReads> failing = std::make_shared<FailingReads>();
};

struct Metric {
  std::string name;
  Mark mark;                            // of its entry
  std::vector<std::string> namespaces;  // sorted; "*" alone means every namespace
  std::vector<DeclaredLabel> labels;
  SelectorMode selector_mode = SelectorMode::bind;
  bool is_per_namespace = false;  // its query contains $(namespace)
  bool needs_dns_label = false;   // of each namespace that reads it
  Duration freshness{5000};
  Duration deadline{2500};
  Policies policies;
  ConfiguredBackend* backend = nullptr;  // owned beside the metrics, never null once built
  std::unique_ptr<Scaler> scaler;

  [[nodiscard]] bool serves(std::string_view name_space) const;
};

// Whether a namespace of `two` is one of `one`, too.
[[nodiscard]] bool overlap(const Metric& one, const Metric& two);

}  // namespace weir::scalers::read
