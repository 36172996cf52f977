// Columns are closures over the timeline, so that the head and each line cannot differ in number.
#include "server/commands/record/wide.hpp"

#include "apiservice/encoding/time.hpp"
#include "server/commands/record/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace weir::server::record {
namespace {

struct Column {
  std::string name;
  std::function<std::string(std::size_t round)> cell;
};

// Rounds begin at multiples of the interval; a read begins a moment later.
std::size_t round_of(double at, double interval) {
  return static_cast<std::size_t>(at / interval + 1e-6);
}

// The samples of a track by round: nullptr where a slow read has skipped one.
template <class AnySample>
std::vector<const AnySample*> by_round(const std::vector<AnySample>& samples,
                                       double interval,
                                       std::size_t rounds) {
  std::vector<const AnySample*> out(rounds, nullptr);
  for (const AnySample& sample : samples) {
    const std::size_t round = round_of(sample.at, interval);
    if (round < rounds) out[round] = &sample;
  }
  return out;
}

std::string number_text(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : std::string();
}

std::string count_text(const std::optional<std::int64_t>& count) {
  return count ? fmt::format("{}", *count) : std::string();
}

std::string value_text(const Sample* sample) {
  if (sample == nullptr || sample->readings.empty()) return "";
  double sum = 0;
  for (const scalers::Reading& reading : sample->readings) sum += reading.value;
  return number_text(sum);
}

// The resource metric of that name: of pods first, because that of a container has the same name.
std::optional<double> resource_in(const HpaState& state,
                                  const char* name,
                                  std::optional<double> HpaMetric::*which) {
  for (const char* type : {"Resource", "ContainerResource"}) {
    for (const HpaMetric& metric : state.metrics) {
      if (metric.type == type && metric.name == name) return metric.*which;
    }
  }
  return std::nullopt;
}

// What the controller has read above its target, in the order of the spec.
std::string active_text(const HpaState& state) {
  std::string out;
  for (const HpaMetric& metric : state.metrics) {
    if (metric.is_over_target()) out += (out.empty() ? "" : ";") + metric.name;
  }
  return out;
}

// "p95_latency", or all of it where two metrics have this name.
std::string short_name(const Timeline& timeline, const std::string& name) {
  const auto brief = [](const std::string& text) {
    const std::string path = text.substr(0, text.find('?'));
    return path.substr(path.find('/') + 1);
  };
  const auto same = std::ranges::count_if(timeline.metrics, [&](const MetricTrack& track) {
    return brief(track.name) == brief(name);
  });
  return same == 1 ? brief(name) : name;
}

std::string hpa_column(const Timeline& timeline, const HpaTrack& track, const char* name) {
  return timeline.hpas.size() == 1 ? std::string(name) : fmt::format("{} {}", name, track.name);
}

using HpaCell = std::function<std::string(const HpaState& state)>;

void add_hpa_column(std::vector<Column>& out,
                    std::string name,
                    std::vector<const HpaSample*> samples,
                    HpaCell cell) {
  out.push_back(
      {std::move(name), [samples = std::move(samples), cell = std::move(cell)](std::size_t round) {
         const HpaSample* sample = samples[round];
         const bool is_known = sample != nullptr && sample->error.empty();
         return is_known ? cell(sample->state) : std::string();
       }});
}

void add_resources(std::vector<Column>& out,
                   const Timeline& timeline,
                   const HpaTrack& track,
                   const std::vector<const HpaSample*>& samples) {
  struct Row {
    const char* column;
    const char* resource;
    std::optional<double> HpaMetric::*which;
  };
  static constexpr Row kRows[] = {{"CPU_Percent", "cpu", &HpaMetric::utilization},
                                  {"CPU_Cores", "cpu", &HpaMetric::average},
                                  {"Memory_Percent", "memory", &HpaMetric::utilization},
                                  {"Memory_Bytes", "memory", &HpaMetric::average}};
  for (const Row& row : kRows) {
    add_hpa_column(out,
                   hpa_column(timeline, track, row.column),
                   samples,
                   [&row](const HpaState& state) {
                     return number_text(resource_in(state, row.resource, row.which));
                   });
  }
}

std::vector<Column> columns_of(const Timeline& timeline, double interval, std::size_t rounds) {
  std::vector<Column> out;
  for (const HpaTrack& track : timeline.hpas) {
    const auto samples = by_round(track.samples, interval, rounds);
    add_hpa_column(out,
                   hpa_column(timeline, track, "Replicas"),
                   samples,
                   [](const HpaState& state) { return count_text(state.current); });
    add_hpa_column(out, hpa_column(timeline, track, "Desired"), samples, [](const HpaState& state) {
      return count_text(state.desired);
    });
  }
  for (const MetricTrack& track : timeline.metrics) {
    out.push_back({short_name(timeline, track.name),
                   [samples = by_round(track.samples, interval, rounds)](std::size_t round) {
                     return value_text(samples[round]);
                   }});
  }
  for (const HpaTrack& track : timeline.hpas) {
    const auto samples = by_round(track.samples, interval, rounds);
    add_resources(out, timeline, track, samples);
    add_hpa_column(out, hpa_column(timeline, track, "Active"), samples, active_text);
  }
  return out;
}

template <class Track>
std::size_t rounds_in(const std::vector<Track>& tracks, double interval) {
  std::size_t out = 0;
  for (const Track& track : tracks) {
    if (!track.samples.empty())
      out = std::max(out, round_of(track.samples.back().at, interval) + 1);
  }
  return out;
}

}  // namespace

std::string wide_csv_of(const Timeline& timeline, Duration interval) {
  const double seconds = std::chrono::duration<double>(interval).count();
  const std::size_t rounds =
      std::max(rounds_in(timeline.metrics, seconds), rounds_in(timeline.hpas, seconds));
  const auto columns = columns_of(timeline, seconds, rounds);
  std::string out = "Timestamp";
  for (const Column& column : columns) out += ',' + csv_field(column.name);
  out += kCsvLineEnd;
  for (std::size_t round = 0; round < rounds; ++round) {
    out += apiservice::rfc3339(timeline.began + round * interval);
    for (const Column& column : columns) out += ',' + csv_field(column.cell(round));
    out += kCsvLineEnd;
  }
  return out;
}

}  // namespace weir::server::record
