// What a kind of scaler implements: a Backend (one configured system) that makes Scalers (one
// metric's query to it). All of it runs on the loop. The reader owns the cache, single flight,
// limits and policies; a scaler only queries.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/explanation.hpp"
#include "scalers/parts.hpp"
#include "scalers/reading.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/task.hpp"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers {

class Clients;

// The age of the newest data that a value is computed from, at the time of the query, and the limit
// of that age.
struct DataAge {
  Duration age;
  Duration limit;
};

// What a backend measured, before any policy: it may be NaN, infinite or negative.
struct Sample {
  double value;
  WallTime taken_at;
  bool is_missing = false;               // the object does not exist; the value is from `missing`
  std::optional<DataAge> data_age = {};  // nullopt: the value is as old as the query
  Labels labels = {};                    // distinguish the samples of a set; empty: a scalar
  // Of a value that was aggregated from several parts; null: none is negative. Second owners: the
  // copies of the sample, here and below.
  std::shared_ptr<const NegativeParts> negative_parts = {};
  // A remark of the backend on the query, for explain; null: none.
  std::shared_ptr<const std::string> notice = {};
};

// What one query measured: never empty. A scalar is a set of one sample without labels.
class Samples {
 public:
  // Implicit, because most scalers measure one number.
  Samples(Sample scalar) { samples_.push_back(std::move(scalar)); }
  // At least one, of which no two have the same labels.
  explicit Samples(std::vector<Sample> samples) : samples_(std::move(samples)) {
    assert(!samples_.empty());
  }

  [[nodiscard]] auto begin() const { return samples_.begin(); }
  [[nodiscard]] auto end() const { return samples_.end(); }
  [[nodiscard]] std::size_t size() const { return samples_.size(); }
  [[nodiscard]] const Sample& front() const { return samples_.front(); }

 private:
  std::vector<Sample> samples_;
};

[[nodiscard]] inline Result<Samples> as_samples(Result<Sample> scalar) {
  if (!scalar) return scalar.error();
  return Samples(std::move(*scalar));
}

class Scaler {
 public:
  Scaler() = default;
  Scaler(const Scaler&) = delete;
  Scaler& operator=(const Scaler&) = delete;
  virtual ~Scaler() = default;

  // Identifies what query() sends, unique within the backend: equal keys have equal responses.
  // `parameters` holds a value for every declared label.
  [[nodiscard]] virtual std::string cache_key(const Parameters& parameters) const = 0;
  // Queries the backend. Errc::no_value when there is nothing to measure, for the policy `empty`;
  // partial or bad_reply for a value that is absent, null or of another type; never a guess.
  [[nodiscard]] virtual awaitable<Result<Samples>> query(Parameters parameters,
                                                         Deadline deadline) = 0;

  // What query() sends, for a person who may see it (explain); holds no secret.
  [[nodiscard]] virtual std::string describe_query(const Parameters& parameters) const = 0;
  // Whether diagnose() can find the cause of what query() returned: of an error, or of a number
  // that a missing object also has.
  [[nodiscard]] virtual bool can_diagnose(const Result<Samples>& reply) const;
  // Looks for the cause with a bounded number of further queries, one at a time, and returns what
  // it has at the deadline. Called only when can_diagnose() is true.
  [[nodiscard]] virtual awaitable<Diagnosis> diagnose(Parameters parameters,
                                                      Result<Samples> reply,
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
  // "host:port" of the configuration, or several of them with commas in between, for the log and
  // for people at a terminal; never for a Status, whose readers may not know where backends are.
  [[nodiscard]] virtual std::string address() const = 0;
  // The forward proxy of its requests and why, or why there is none (ProxyChoice::text); empty:
  // nothing names a proxy. For the same people as address().
  [[nodiscard]] virtual std::string proxy() const { return ""; }
  // What of its settings works and is a risk, for `weir check`.
  [[nodiscard]] virtual std::vector<std::string> remarks() const { return {}; }
  // Backends that share a client show the same counts.
  [[nodiscard]] virtual ConnectionCounts connections() const = 0;
};

// What the number of a metric measures, which decides on the targets that an HPA may have for it.
enum class Measure {
  unknown,
  backlog,  // the waiting work of all replicas together
  rate,     // of all replicas together
  average,  // or a quantile: describes one replica, and does not grow with their number
  ratio,    // of two numbers, or a time
  state     // a number that does not depend on the replicas, such as one that somebody wrote
};

// Where servers of a kind listen unless somebody changes it.
struct Port {
  std::uint16_t number;
  std::string_view use;  // "AMQP"
};

// What a kind makes its backends from. All of it outlives them.
struct Context {
  Clients& clients;
  const Clock& clock;
  Loop& loop;
};

// Everything about one kind of scaler, as its line in catalog.def registers it: no other code names
// a kind.
struct ScalerKind {
  std::string_view name;     // the YAML key: "prometheus"
  std::string_view summary;  // one sentence for `weir describe`
  // What the policy `empty` of a metric replaces, that is, what Errc::no_value means for the kind:
  // "a response without series". Empty: nothing, and its setting `missing` is for that.
  std::string_view empty_covers;
  // What a diagnosis searches for after which replies, for `weir describe`. Empty: there is none.
  std::string_view diagnosis;
  std::span<const Port> ports;  // without those that differ everywhere
  // A configuration with a backend and a metric of the kind, which `weir check` accepts once the
  // files that it names exist.
  std::string_view example;
  // Null: the kind has no backends that somebody configures. Its metrics share one, made from an
  // empty block, under the kind's name.
  std::vector<SettingDoc> (*backend_settings)();
  std::vector<SettingDoc> (*metric_settings)();  // without `backend`, which every kind has
  // What a metric with that block measures; the block may have problems.
  Measure (*measure)(const Node& block);
  // Adds every problem of a metric's block that does not depend on its backend, for a metric whose
  // backend does not exist.
  void (*check_metric)(const Node& block, ParameterNames& names, Problems& problems);
  // Adds every problem of the block; the backend is used only when there were none.
  std::unique_ptr<Backend> (*make_backend)(const Node& block,
                                           const Context& context,
                                           Problems& problems);

  [[nodiscard]] bool has_backends() const { return backend_settings != nullptr; }
};

// "empty covers ...", or that it has no effect: for `weir describe` and `weir check`.
[[nodiscard]] std::string empty_text(const ScalerKind& kind);

}  // namespace weir::scalers
