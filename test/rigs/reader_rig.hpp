// A Reader over one backend whose scalers are scripted: each records its queries, and responds with
// what the test says, when the test says.
#pragma once

#include "scalers/read/reader.hpp"
#include "scalers/signal.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir::test {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady() const override { return SteadyTime{} + now_; }
  [[nodiscard]] WallTime wall() const override { return WallTime{} + now_; }
  void advance(Duration span) { now_ += span; }

 private:
  std::chrono::hours start_{1000};
  SteadyTime::duration now_{start_};
};

class ReadEvents final : public scalers::ReadObserver {
 public:
  void backend_down(std::string_view backend,
                    std::string_view address,
                    const scalers::Error& error) override {
    backends.push_back("down " + std::string(backend) + " at " + std::string(address) + ": " +
                       shown(error));
  }
  void backend_up(std::string_view backend, Duration after) override {
    backends.push_back("up " + std::string(backend) + " after " + std::to_string(after.count()));
  }
  void metric_failing(std::string_view backend,
                      const scalers::read::FailingRead& read,
                      const scalers::Error& error,
                      std::string_view cause) override {
    failing.push_back("failing " + named(backend, read) + ": " + shown(error) +
                      (cause.empty() ? "" : "; " + std::string(cause)));
  }
  void metric_recovered(std::string_view backend,
                        const scalers::read::FailingRead& read,
                        Duration after) override {
    failing.push_back("recovered " + named(backend, read) + " after " +
                      std::to_string(after.count()));
  }
  void query_done(const scalers::ReadOf& of,
                  std::optional<scalers::Errc> failure,
                  SteadyTime::duration took) override {
    const auto milliseconds = std::chrono::duration_cast<Duration>(took).count();
    reads.push_back(named(of) + (failure ? std::string(scalers::name_of(*failure)) : "ok") + " " +
                    std::to_string(milliseconds));
  }
  void answer_reused(const scalers::ReadOf& of, scalers::Reuse how) override {
    reads.push_back(named(of) + (how == scalers::Reuse::cached ? "cached" : "shared"));
  }
  void value_changed(const scalers::ReadOf& of, std::string_view policy) override {
    reads.push_back(named(of) + std::string(policy));
  }
  void fallback_used(const scalers::ReadOf& of) override {
    reads.push_back(named(of) + "fallback");
  }
  void value_reported(const scalers::ReadOf& of, const scalers::Reading& reading) override {
    std::string labels;
    for (const auto& [name, value] : reading.labels) labels += name + "=" + value + " ";
    values.push_back(named(of) + labels + std::to_string(static_cast<std::int64_t>(reading.value)));
  }

  std::vector<std::string> backends;  // that went down or came up
  std::vector<std::string> failing;   // metrics that began to fail or recovered
  std::vector<std::string> reads;     // queries, reuses, changes and fallbacks
  std::vector<std::string> values;

 private:
  static std::string named(std::string_view backend, const scalers::read::FailingRead& read) {
    return std::string(backend) + " " + read.name_space + "/" + read.metric + "{" + read.labels +
           "}";
  }
  static std::string named(const scalers::ReadOf& of) {
    return std::string(of.backend) + " " + std::string(of.name_space) + "/" +
           std::string(of.metric) + " ";
  }
};

// What the backend responds with, and the queries it got. Outlives the reader.
struct Script {
  struct Call {
    std::string key;
    scalers::Parameters parameters;
    Deadline deadline;
  };

  explicit Script(Loop& loop) : release(loop) {}

  std::vector<Call> queries;
  std::vector<Call> diagnoses;
  bool can_diagnose = false;       // Errc::no_value and a missing object
  bool is_diagnosis_held = false;  // diagnoses wait for `release`
  scalers::Diagnosis diagnosis{"the target is down", {"1 target, down"}, 2};
  bool has_bug = false;     // query() throws
  bool is_held = false;     // responses wait for `release`
  scalers::Signal release;  // raised once: every query gets its response from then on
  std::map<std::string, scalers::Result<scalers::Samples>> replies;  // by key; the others get 7
  scalers::ConnectionCounts connections;                             // as the client counts them
};

// Its scalers are made beside it: a metric's block says nothing here.
class ScriptedBackend final : public scalers::Backend {
 public:
  explicit ScriptedBackend(const Script& script) : script_(script) {}

  [[nodiscard]] std::unique_ptr<scalers::Scaler> make_scaler(
      const scalers::Node& /*block*/,
      scalers::ParameterNames& /*names*/,
      scalers::Problems& /*problems*/) override {
    return nullptr;
  }
  [[nodiscard]] std::string address() const override { return "broker.test:5672"; }
  [[nodiscard]] scalers::ConnectionCounts connections() const override {
    return script_.connections;
  }

 private:
  const Script& script_;
};

class ScriptedScaler final : public scalers::Scaler {
 public:
  // The cache key is `text` and the value of each parameter that `rendered` names.
  ScriptedScaler(Script& script,
                 std::string text,
                 std::vector<std::string> rendered,
                 std::size_t labels)
      : script_(script), text_(std::move(text)), rendered_(std::move(rendered)), labels_(labels) {}

  [[nodiscard]] std::string cache_key(const scalers::Parameters& parameters) const override {
    std::string out = text_;
    for (const std::string& name : rendered_) out += " " + parameters.at(name);
    return out;
  }

  [[nodiscard]] std::string describe_query(const scalers::Parameters& parameters) const override {
    return "query: " + cache_key(parameters);
  }
  [[nodiscard]] bool can_diagnose(const scalers::Result<scalers::Samples>& reply) const override {
    const bool is_unclear =
        reply ? reply->front().is_missing : reply.error().code == scalers::Errc::no_value;
    return script_.can_diagnose && is_unclear;
  }
  [[nodiscard]] awaitable<scalers::Diagnosis> diagnose(scalers::Parameters parameters,
                                                       scalers::Result<scalers::Samples> reply,
                                                       Deadline deadline) override {
    CHECK(can_diagnose(reply));
    script_.diagnoses.push_back({cache_key(parameters), std::move(parameters), deadline});
    if (script_.is_diagnosis_held) {
      const bool is_released = co_await script_.release.wait(Duration{20'000});
      CHECK(is_released);
    }
    co_return script_.diagnosis;
  }

  [[nodiscard]] awaitable<scalers::Result<scalers::Samples>> query(scalers::Parameters parameters,
                                                                   Deadline deadline) override {
    CHECK(parameters.labels.size() == labels_);
    CHECK_FALSE(parameters.name_space.empty());
    const std::string key = cache_key(parameters);
    script_.queries.push_back({key, std::move(parameters), deadline});
    if (script_.has_bug) throw std::runtime_error("a bug at http://broker:1");
    if (script_.is_held) {
      const bool is_released = co_await script_.release.wait(Duration{20'000});
      CHECK(is_released);
    }
    const auto reply = script_.replies.find(key);
    if (reply != script_.replies.end()) co_return reply->second;
    co_return scalers::Sample{7, WallTime{} + std::chrono::seconds{42}};
  }

 private:
  Script& script_;
  std::string text_;
  std::vector<std::string> rendered_;
  std::size_t labels_;
};

struct MetricSpec {
  std::string name = "depth";
  std::vector<std::string> namespaces = {"ml"};
  std::map<std::string, std::string> labels = {};  // name and pattern
  std::string key = "depth";
  std::vector<std::string> rendered = {};
  Duration freshness{5000};
  Duration deadline{2500};
  scalers::read::Policies policies = {};
  scalers::read::SelectorMode selector_mode = scalers::read::SelectorMode::bind;
  bool needs_dns_label = false;
};

struct Limits {
  std::size_t max_in_flight = 8;
  std::size_t max_waiting = 1000;
};

struct Rig {
  explicit Rig(std::vector<MetricSpec> specs, Limits limits = {}, std::uint32_t seed = 1) {
    auto backend = std::make_unique<scalers::read::ConfiguredBackend>();
    backend->name = "broker";
    backend->kind = "fake";
    backend->backend = std::make_unique<ScriptedBackend>(script);
    backend->limiter = std::make_shared<scalers::read::ConcurrencyLimiter>(*loop,
                                                                           limits.max_in_flight,
                                                                           limits.max_waiting);
    std::vector<scalers::read::Metric> metrics;
    std::vector<std::string_view> names;
    for (const MetricSpec& spec : specs) names.emplace_back(spec.name);
    const auto index = std::make_shared<const scalers::MetricIndex>(names);
    for (MetricSpec& spec : specs) metrics.push_back(metric(std::move(spec), *backend));
    std::vector<std::unique_ptr<scalers::read::ConfiguredBackend>> backends;
    backends.push_back(std::move(backend));
    reader = std::make_shared<scalers::read::Reader>(*loop,
                                                     clock,
                                                     events,
                                                     std::move(backends),
                                                     std::move(metrics),
                                                     index,
                                                     seed);
  }

  using Readings = scalers::Result<std::vector<scalers::Reading>>;

  Pending<Readings> begin(scalers::Query query) {
    scalers::Source& source = *reader;
    return start(*loop,
                 source.read(std::move(query), Deadline::after(clock.steady(), Duration{10'000})));
  }
  Readings read(scalers::Query query = {"ml", "depth", {}}) {
    return finish(*loop, begin(std::move(query)));
  }
  // The one value that a read gives, or its error as a text.
  std::variant<double, std::string> value(scalers::Query query = {"ml", "depth", {}}) {
    const auto readings = read(std::move(query));
    if (!readings) return shown(readings.error());
    REQUIRE(readings->size() == 1);
    return readings->front().value;
  }

  FakeClock clock;
  ReadEvents events;
  std::unique_ptr<Loop> loop = std::make_unique<Loop>();
  Script script{*loop};
  std::shared_ptr<scalers::read::Reader>
      reader;  // shared with the reads under way, as World shares it

 private:
  scalers::read::Metric metric(MetricSpec spec, scalers::read::ConfiguredBackend& backend) {
    scalers::read::Metric out;
    out.name = std::move(spec.name);
    out.namespaces = std::move(spec.namespaces);
    for (const auto& [name, text] : spec.labels) {
      auto pattern = scalers::Pattern::compile(text);
      out.labels.push_back({name, std::get<scalers::Pattern>(std::move(pattern)), std::nullopt});
    }
    out.freshness = spec.freshness;
    out.deadline = spec.deadline;
    out.policies = spec.policies;
    out.selector_mode = spec.selector_mode;
    out.needs_dns_label = spec.needs_dns_label;
    out.backend = &backend;
    out.scaler = std::make_unique<ScriptedScaler>(script,
                                                  std::move(spec.key),
                                                  std::move(spec.rendered),
                                                  spec.labels.size());
    return out;
  }
};

}  // namespace weir::test
