// A Reader over one backend whose scalers are scripted: each remembers what it was asked, and
// answers what the test says, when the test says.
#pragma once

#include "scalers/read/reader.hpp"
#include "scalers/signal.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

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
  void backend_down(std::string_view backend, const scalers::Error& error) override {
    seen.push_back("down " + std::string(backend) + ": " + shown(error));
  }
  void backend_up(std::string_view backend) override {
    seen.push_back("up " + std::string(backend));
  }
  void question_done(const scalers::ReadOf& of,
                     std::optional<scalers::Errc> failure,
                     SteadyTime::duration took) override {
    const auto milliseconds = std::chrono::duration_cast<Duration>(took).count();
    told.push_back(named(of) + (failure ? std::string(scalers::name_of(*failure)) : "ok") + " " +
                   std::to_string(milliseconds));
  }
  void answer_reused(const scalers::ReadOf& of, scalers::Reuse how) override {
    told.push_back(named(of) + (how == scalers::Reuse::cached ? "cached" : "shared"));
  }
  void value_changed(const scalers::ReadOf& of, std::string_view policy) override {
    told.push_back(named(of) + std::string(policy));
  }
  void fallback_given(const scalers::ReadOf& of) override {
    told.push_back(named(of) + "fallback");
  }
  void value_given(const scalers::ReadOf& of, const scalers::Reading& reading) override {
    given.push_back(named(of) + std::to_string(static_cast<int>(reading.value)));
  }

  std::vector<std::string> seen;   // changes of backends
  std::vector<std::string> told;   // questions, and answers without one
  std::vector<std::string> given;  // values

 private:
  static std::string named(const scalers::ReadOf& of) {
    return std::string(of.backend) + " " + std::string(of.name_space) + "/" +
           std::string(of.metric) + " ";
  }
};

// What the backend is to do, and what it was asked. Outlives the reader.
struct Script {
  struct Asked {
    std::string question;
    scalers::Labels parameters;
    Deadline deadline;
  };

  explicit Script(Loop& loop) : release(loop) {}

  std::vector<Asked> asked;
  std::vector<Asked> looked;   // by diagnose()
  bool has_diagnosis = false;  // of Errc::no_value and of a missing object
  bool is_look_held = false;   // looks wait for `release`
  scalers::Diagnosis found{"the target is down", {"1 target, down"}, 2};
  bool has_bug = false;     // ask() throws
  bool is_held = false;     // answers wait for `release`
  scalers::Signal release;  // raised once: everything is answered from then on
  std::map<std::string, scalers::Result<scalers::Sample>> say;  // by question; the others get 7
  scalers::ConnectionCounts connections;                        // as the client counts them
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
  [[nodiscard]] scalers::ConnectionCounts connections() const override {
    return script_.connections;
  }

 private:
  const Script& script_;
};

class ScriptedScaler final : public scalers::Scaler {
 public:
  // The question is `text` and the value of each parameter that `rendered` names.
  ScriptedScaler(Script& script,
                 std::string text,
                 std::vector<std::string> rendered,
                 std::size_t parameters)
      : script_(script),
        text_(std::move(text)),
        rendered_(std::move(rendered)),
        parameters_(parameters) {}

  [[nodiscard]] std::string question(const scalers::Labels& parameters) const override {
    std::string out = text_;
    for (const std::string& name : rendered_) out += " " + parameters.at(name);
    return out;
  }

  [[nodiscard]] std::string shown_question(const scalers::Labels& parameters) const override {
    return "asked: " + question(parameters);
  }
  [[nodiscard]] bool has_diagnosis_of(
      const scalers::Result<scalers::Sample>& reply) const override {
    const bool is_looked_into =
        reply ? reply->is_missing : reply.error().code == scalers::Errc::no_value;
    return script_.has_diagnosis && is_looked_into;
  }
  [[nodiscard]] awaitable<scalers::Diagnosis> diagnose(scalers::Labels parameters,
                                                       scalers::Result<scalers::Sample> reply,
                                                       Deadline deadline) override {
    CHECK(has_diagnosis_of(reply));
    script_.looked.push_back({question(parameters), std::move(parameters), deadline});
    if (script_.is_look_held) {
      const bool is_released = co_await script_.release.wait(Duration{20'000});
      CHECK(is_released);
    }
    co_return script_.found;
  }

  [[nodiscard]] awaitable<scalers::Result<scalers::Sample>> ask(scalers::Labels parameters,
                                                                Deadline deadline) override {
    CHECK(parameters.size() == parameters_);
    CHECK(parameters.contains("namespace"));
    const std::string asked = question(parameters);
    script_.asked.push_back({asked, std::move(parameters), deadline});
    if (script_.has_bug) throw std::runtime_error("a bug at http://broker:1");
    if (script_.is_held) {
      const bool is_released = co_await script_.release.wait(Duration{20'000});
      CHECK(is_released);
    }
    const auto found = script_.say.find(asked);
    if (found != script_.say.end()) co_return found->second;
    co_return scalers::Sample{7, WallTime{} + std::chrono::seconds{42}};
  }

 private:
  Script& script_;
  std::string text_;
  std::vector<std::string> rendered_;
  std::size_t parameters_;
};

struct MetricSpec {
  std::string name = "depth";
  std::vector<std::string> namespaces = {"ml"};
  std::map<std::string, std::string> labels = {};  // name and pattern
  std::string question = "depth";
  std::vector<std::string> rendered = {};
  Duration freshness{5000};
  Duration deadline{2500};
  scalers::read::Policies policies = {};
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
    for (MetricSpec& spec : specs) metrics.push_back(metric(std::move(spec), *backend));
    std::vector<std::unique_ptr<scalers::read::ConfiguredBackend>> backends;
    backends.push_back(std::move(backend));
    reader = std::make_shared<scalers::read::Reader>(*loop,
                                                     clock,
                                                     events,
                                                     std::move(backends),
                                                     std::move(metrics),
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
    out.backend = &backend;
    out.scaler = std::make_unique<ScriptedScaler>(script,
                                                  std::move(spec.question),
                                                  std::move(spec.rendered),
                                                  spec.labels.size() + 1);
    return out;
  }
};

}  // namespace weir::test
