// What a kind of scaler implements: a Backend (one configured system) that makes Scalers (one
// metric's question to it). All of it runs on the loop. The reader above owns caching, joining,
// limits and policies; a scaler only asks.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/explanation.hpp"
#include "scalers/reading.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

class Clients;

// How old the newest of the data behind a value was when the backend was asked, and how old it may
// be.
struct DataAge {
  Duration age;
  Duration limit;
};

// What a backend measured, before any policy: it may be NaN, infinite or negative.
struct Sample {
  double value;
  WallTime taken_at;
  bool is_missing = false;               // the object does not exist, and `missing` says the value
  std::optional<DataAge> data_age = {};  // nullopt: the value is of the moment of the question
};

class Scaler {
 public:
  Scaler() = default;
  Scaler(const Scaler&) = delete;
  Scaler& operator=(const Scaler&) = delete;
  virtual ~Scaler() = default;

  // Names what ask() would ask, unique within the backend: equal texts have equal answers.
  // `parameters` holds a value for every declared label and for the namespace.
  [[nodiscard]] virtual std::string question(const Labels& parameters) const = 0;
  // Asks the backend. Errc::no_value when nothing was measured; never a guess.
  [[nodiscard]] virtual awaitable<Result<Sample>> ask(Labels parameters, Deadline deadline) = 0;

  // What ask() would ask, for a person who may see it (explain): the query itself, no secret.
  [[nodiscard]] virtual std::string shown_question(const Labels& parameters) const = 0;
  // Whether a closer look at what ask() gave can tell more: the cause of an error, or of a number
  // that may stand for nothing at all.
  [[nodiscard]] virtual bool has_diagnosis_of(const Result<Sample>& reply) const;
  // Looks for the cause with a bounded number of further questions, one at a time, and gives what
  // it has at the deadline. Called only where has_diagnosis_of() says so.
  [[nodiscard]] virtual awaitable<Diagnosis> diagnose(Labels parameters,
                                                      Result<Sample> reply,
                                                      Deadline deadline);
};

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // The scaler of one metric, from the block under the kind's name in the metric's entry. Adds
  // every problem it finds; the scaler is used only when there were none. The backend outlives its
  // scalers.
  [[nodiscard]] virtual std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                            ParameterNames& names,
                                                            Problems& problems) = 0;
  // Backends that share a client show the same counts.
  [[nodiscard]] virtual ConnectionCounts connections() const = 0;
};

// One kind of scaler, as its line in catalog.def registers it.
struct ScalerKind {
  std::string_view name;     // the YAML key: "prometheus"
  std::string_view summary;  // one sentence for `weir describe`
  std::vector<SettingDoc> (*backend_settings)();
  std::vector<SettingDoc> (*metric_settings)();  // without `backend`, which every kind has
  // Adds every problem that a metric's block has whatever its backend: for one whose backend is not
  // there.
  void (*check_metric)(const Node& block, ParameterNames& names, Problems& problems);
  // Adds every problem of the block; the backend is used only when there were none. `clients`
  // outlives it.
  std::unique_ptr<Backend> (*make_backend)(const Node& block, Clients& clients, Problems& problems);
};

}  // namespace weir::scalers
