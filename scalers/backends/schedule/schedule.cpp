// The schedule kind: a number that somebody wrote for a time of the day. It has no backend: a query
// reads the clock.
#include "scalers/backends/schedule/plan.hpp"
#include "scalers/backends/schedule/settings.hpp"
#include "scalers/backends/schedule/time_zone.hpp"
#include "scalers/kind.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers::backends::schedule {

// Declared here and in the catalog alone: a header would let other code name the kind.
ScalerKind describe_kind();

namespace {

std::string name_of(const State& state) {
  return state.window == nullptr ? "otherwise" : state.window->text;
}

class ScheduleScaler final : public Scaler {
 public:
  ScheduleScaler(TimeZone zone, Plan plan, const Clock& clock)
      : zone_(std::move(zone)), plan_(std::move(plan)), clock_(clock), key_(key_of(zone_, plan_)) {}

  [[nodiscard]] std::string cache_key(const Parameters& /*parameters*/) const override {
    return key_;
  }

  // The window that is open, and the next change.
  [[nodiscard]] std::string describe_query(const Parameters& /*parameters*/) const override {
    const WallTime now = clock_.wall();
    const LocalMinute minute = zone_.reached_at(now);
    return fmt::format("{} in {}: {}; {}",
                       zone_.text_of(now),
                       zone_.name(),
                       name_of(state_at(plan_, minute)),
                       next_text(minute));
  }

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters /*parameters*/,
                                                 Deadline /*deadline*/) override {
    const WallTime now = clock_.wall();
    co_return Samples(Sample{state_at(plan_, zone_.reached_at(now)).value, now});
  }

 private:
  [[nodiscard]] std::string next_text(LocalMinute now) const {
    const auto next = next_change(plan_, zone_, now);
    if (!next) return "no other value follows";
    const std::string at = zone_.text_of(zone_.instant_of(next->at));
    if (!next->then) return fmt::format("the same value until at least {}", at);
    return fmt::format("{} from {} on ({})", next->then->value, at, name_of(*next->then));
  }
  // Schedules have one backend in common.
  [[nodiscard]] static std::string key_of(const TimeZone& zone, const Plan& plan) {
    std::string out = fmt::format("{} {}", zone.name(), plan.otherwise);
    for (const Window& window : plan.windows)
      out += fmt::format("; {} {}", window.text, window.value);
    return out;
  }

  TimeZone zone_;
  Plan plan_;
  const Clock& clock_;
  std::string key_;
};

class ScheduleBackend final : public Backend {
 public:
  explicit ScheduleBackend(const Clock& clock) : clock_(clock) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& /*names*/,
                                                    Problems& problems) override {
    Settings settings = read_metric(block, problems);
    if (!settings.zone) return nullptr;
    return std::make_unique<ScheduleScaler>(std::move(*settings.zone),
                                            std::move(settings.plan),
                                            clock_);
  }
  [[nodiscard]] std::string address() const override { return ""; }
  [[nodiscard]] ConnectionCounts connections() const override { return {}; }

 private:
  const Clock& clock_;
};

constexpr std::string_view kExample = R"yaml(metrics:
  - name: office_hours
    namespaces: [shop]
    schedule:
      timeZone: Europe/Berlin
      windows:
        - {days: mon-fri, from: "08:00", to: "18:00", value: 8}
        - {from: "0 6 1 * *", to: "0 12 1 * *", value: 20}
      otherwise: 2
)yaml";

}  // namespace

ScalerKind describe_kind() {
  return {
      .name = "schedule",
      .summary = "A number by the time of day and the day, in a time zone.",
      .empty_covers = "",
      .diagnosis = "",
      .ports = {},
      .example = kExample,
      .backend_settings = nullptr,
      .metric_settings = metric_docs,
      .measure = [](const Node& /*block*/) { return Measure::state; },
      .check_metric = [](const Node& block,
                         ParameterNames& /*names*/,
                         Problems& problems) { static_cast<void>(read_metric(block, problems)); },
      .make_backend = [](const Node& /*block*/, const Context& context, Problems& /*problems*/)
          -> std::unique_ptr<Backend> { return std::make_unique<ScheduleBackend>(context.clock); },
  };
}

}  // namespace weir::scalers::backends::schedule
