// How one metric read comes about, step by step: what `weir explain` and GET .../METRIC/explain
// show. It may hold queries and targets' addresses, so it has a permission of its own; never a
// secret. Plain words.
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

// What a closer look at a question without a number found.
struct Diagnosis {
  std::string cause;  // one clause that a Status may show (see Error); empty: none was found
  std::vector<std::string> findings;  // in the order of the look, for explain alone
  std::size_t questions = 0;          // that it put to the backend
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
    std::string effect;   // in words
  };

  struct BackendFacts {
    std::string name;
    std::string kind;
    bool is_down;  // at its last question of a read
    std::size_t in_flight;
    std::size_t waiting;
    ConnectionCounts connections;  // those of this explanation are in it
  };

  // One question to the backend: one for each combination of the selector's values.
  struct Question {
    Labels labels;
    std::string text;              // as the backend is asked
    std::optional<double> value;   // what the backend measured, before any policy
    std::optional<Error> failure;  // instead of a value, in the backend's own terms
    WallTime asked_at;
    std::vector<Policy> policies;
    Result<Reading> result;  // what an HPA gets; an error with the same text
    std::optional<Diagnosis> diagnosis;
    std::vector<Step> steps;
  };

  std::string name_space;
  std::string metric;
  Mark entry;  // where the metric stands in the configuration
  Duration deadline;
  Duration freshness;
  BackendFacts backend;
  std::vector<Question> questions;  // never empty
};

// Explains metric reads. Runs on the loop.
class Explainer {
 public:
  Explainer() = default;
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;
  virtual ~Explainer() = default;

  // Asks the backend anew, under the metric's own limits; changes no answer that a read gets.
  // Errc::unknown_metric, bad_request (the selector), overloaded (too many at once); what the
  // backend makes of the question is part of the explanation.
  [[nodiscard]] virtual awaitable<Result<Explanation>> explain(Query query, Deadline deadline) = 0;
};

}  // namespace weir::scalers
