// How one metric read comes about, step by step: what `weir explain` and GET .../METRIC/explain
// show. It may contain queries and targets' addresses, so it has a permission of its own; never a
// secret. Plain values.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/reading.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace weir::scalers {

// What the search for the cause of a query without a value found.
struct Diagnosis {
  std::string cause;  // one clause that a Status may show (see Error); empty: none was found
  std::vector<std::string> findings;  // in the order of the search, for explain alone
  std::size_t queries = 0;            // that it sent to the backend
};

struct Explanation {
  struct Step {
    std::string name;
    SteadyTime::duration took;
  };

  // What one policy of the metric made of the reply.
  struct Policy {
    std::string name;     // the setting's key: "empty"
    std::string setting;  // as it holds: "error", "0"
    std::string effect;   // for people
  };

  struct BackendFacts {
    std::string name;
    std::string kind;
    bool is_down;  // by its last query of a read
    std::size_t in_flight;
    std::size_t waiting;
    ConnectionCounts connections;   // with those of this explanation
    std::string file_problem = {};  // of the files that its settings name; empty: none
    std::string proxy = {};         // as Backend::proxy
  };

  // A number of the backend, before any policy; without labels: a scalar.
  struct Measured {
    Labels labels;
    double value;
  };

  // One query to the backend: one for each combination of the selector's values.
  struct BackendQuery {
    Labels labels;                        // bound by the selector
    std::string text;                     // as the backend gets it
    Result<std::vector<Measured>> reply;  // never empty; or the error in the backend's own terms
    std::string notice;                   // the backend's remark on the query; empty: none
    WallTime queried_at;
    std::vector<Policy> policies;
    Result<std::vector<Reading>> result;  // what an HPA gets; an error with the same text
    std::optional<Diagnosis> diagnosis;
    std::vector<Step> steps;
  };

  std::string name_space;
  std::string metric;
  Mark entry;  // of the metric in the configuration
  Duration deadline;
  Duration freshness;
  BackendFacts backend;
  std::vector<BackendQuery> queries;  // never empty
};

// Explains metric reads. Runs on the loop.
class Explainer {
 public:
  Explainer() = default;
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;
  virtual ~Explainer() = default;

  // Queries the backend again, under the metric's own limits; changes no answer that a read gets.
  // Errc::unknown_metric, bad_request (the selector), overloaded (too many at once); an error of
  // the backend is part of the explanation.
  [[nodiscard]] virtual awaitable<Result<Explanation>> explain(Query query, Deadline deadline) = 0;
};

}  // namespace weir::scalers
