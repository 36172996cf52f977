// Renders the page. It loads nothing from the network, and its content security policy forbids it,
// because names and errors in it come from backends.
#include "server/commands/record/page.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "apiservice/encoding/time.hpp"
#include "scalers/text/utf8.hpp"
#include "server/commands/record/plot.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <ranges>
#include <utility>

namespace weir::server::record {
namespace {

using nlohmann::json;

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>weir record</title>
<style>
body{font:14px/1.4 sans-serif;max-width:960px;margin:1em auto;padding:0 1em;color:#222}
figure{margin:1em 0}figcaption{font-weight:bold}svg{width:100%;background:#fafafa}
text{font-size:11px;fill:#555}.left{text-anchor:end}.below{text-anchor:middle}
.grid{stroke:#ddd}.line{fill:none;stroke-width:1.6;stroke-linecap:round}.error{stroke:#d62728;stroke-width:2}
.cursor{stroke:#888;visibility:hidden}.failed{fill:#d62728;fill-opacity:.1}.shade{color:#eb9394}.legend span{margin-right:1.5em}.bad{color:#d62728}
table{border-collapse:collapse}td,th{text-align:left;padding:.1em .8em .1em 0;vertical-align:top}td:not(:last-child){white-space:nowrap}
#readout{position:sticky;top:0;background:#fff;border-bottom:1px solid #ddd;min-height:1.4em;white-space:pre-wrap}
</style></head><body>
)";

// The script sets textContent and never innerHTML, because names and errors come from backends.
constexpr const char* kScript = R"(<script>
const tracks = JSON.parse(document.getElementById("points").textContent);
const charts = [...document.querySelectorAll("svg")];
const readout = document.getElementById("readout");
const at = (points, time) => points.reduce((best, point) =>
  Math.abs(point[0] - time) < Math.abs(best[0] - time) ? point : best);
for (const chart of charts) chart.addEventListener("mousemove", event => {
  const box = chart.getBoundingClientRect(), data = chart.dataset;
  const x = (event.clientX - box.left) / box.width * chart.viewBox.baseVal.width;
  const share = (x - data.left) / (data.right - data.left);
  if (share < 0 || share > 1) return;
  const time = share * data.seconds;
  for (const other of charts) {
    const line = other.querySelector(".cursor");
    line.style.visibility = "visible";
    line.setAttribute("transform", `translate(${x} 0)`);
  }
  readout.textContent = `${time.toFixed(1)} s` +
    tracks.filter(track => track.points.length).map(track => `\n${track.name}: ${at(track.points, time)[1]}`).join("");
});
</script>
)";

// At least 1 s, because an axis of length 0 cannot be drawn.
double length_of(const Timeline& timeline) {
  double out = 1;
  for (const MetricTrack& track : timeline.metrics)
    if (!track.samples.empty()) out = std::max(out, track.samples.back().at);
  for (const HpaTrack& track : timeline.hpas)
    if (!track.samples.empty()) out = std::max(out, track.samples.back().at);
  return out;
}

// One line for each set of labels in the record. It has a gap where a read failed or had no item
// with these labels.
template <class Measure>
std::vector<Line> lines_of(const MetricTrack& track, Measure measure) {
  std::map<std::string, Line> lines;
  for (const Sample& sample : track.samples)
    for (const scalers::Reading& reading : sample.readings) lines[text_of(reading.labels)];
  // Every sample, also one without these labels, because a missing value is a gap in the line.
  for (auto& [labels, line] : lines) {
    line.name = labels.empty() ? track.name : labels;
    for (const Sample& sample : track.samples) {
      std::optional<double> value;
      for (const scalers::Reading& reading : sample.readings)
        if (text_of(reading.labels) == labels) value = measure(sample, reading);
      line.points.emplace_back(sample.at, value);
    }
  }
  std::vector<Line> out;
  for (auto& [labels, line] : lines) out.push_back(std::move(line));
  return out;
}

template <class AnySample>
std::vector<double> errors_of(const std::vector<AnySample>& samples) {
  std::vector<double> out;
  for (const AnySample& sample : samples)
    if (!sample.error.empty()) out.push_back(sample.at);
  return out;
}

Line replicas_of(const HpaTrack& track,
                 const char* name,
                 std::optional<std::int64_t> HpaState::*which) {
  // Dashed, because current and desired replicas often are the same number, and bounds are no
  // measurements.
  Line out{name, {}, which != &HpaState::current};
  for (const HpaSample& sample : track.samples) {
    const auto& count = sample.state.*which;
    out.points.emplace_back(sample.at,
                            count ? std::optional(static_cast<double>(*count)) : std::nullopt);
  }
  return out;
}

// A table of the times at which the text changed.
template <class AnySample, class TextOf>
std::string changes_of(const std::vector<AnySample>& samples, TextOf text_at) {
  std::string rows;
  // Empty, so that a track that begins without an error has no row for it.
  std::string current;
  for (const AnySample& sample : samples) {
    const std::string text = text_at(sample);
    // Only changes, because an error that lasts is in every sample.
    if (text == current) continue;
    current = text;
    rows += fmt::format("<tr><td>{:.1f} s</td><td>{}</td><td>{}</td></tr>\n",
                        sample.at,
                        apiservice::rfc3339(sample.time),
                        text.empty() ? "recovered" : html_escaped(text));
  }
  return rows.empty()
             ? ""
             : "<table><tr><th>from</th><th>time</th><th>what</th></tr>\n" + rows + "</table>\n";
}

// ScalingLimited is often False in a healthy HPA, so its message is left out.
std::string condition_text(const HpaSample& sample) {
  if (!sample.error.empty()) return sample.error;
  std::string out = text_of(sample.state.conditions);
  for (const Condition& condition : sample.state.conditions) {
    const bool is_shown = condition.status != "True" && condition.type != "ScalingLimited";
    if (is_shown) out += ": " + condition.message;
  }
  return out;
}

// From each first failed read to the next good one, or to the end.
template <class AnySample>
std::vector<Span> failures_of(const std::vector<AnySample>& samples, double seconds) {
  std::vector<Span> out;
  bool is_failing = false;
  for (const AnySample& sample : samples) {
    if (is_failing) out.back().to = sample.at;
    if (!sample.error.empty() && !is_failing) out.push_back({sample.at, sample.at});
    is_failing = !sample.error.empty();
  }
  if (is_failing) out.back().to = seconds;
  return out;
}

// The namespace and the name in `NAMESPACE/NAME?SELECTOR`.
std::pair<std::string, std::string> parts_of(const std::string& name) {
  const std::string path = name.substr(0, name.find('?'));
  const auto slash = path.find('/');
  if (slash == path.npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// The external metric of that name in the last known spec of the HPA; nullptr when it has none.
const HpaMetric* metric_in(const HpaTrack& hpa, const std::string& metric) {
  const auto [name_space, name] = parts_of(metric);
  if (parts_of(hpa.name).first != name_space) return nullptr;
  for (const HpaSample& sample : hpa.samples | std::views::reverse) {
    for (const HpaMetric& one : sample.state.metrics) {
      if (one.type == "External" && scalers::lower_case(one.name) == scalers::lower_case(name))
        return &one;
    }
  }
  return nullptr;
}

// Where the HPA is satisfied: its target, for an average times its replicas at that time.
std::optional<Line> target_of(const HpaTrack& hpa, const std::string& metric) {
  const HpaMetric* of = metric_in(hpa, metric);
  if (of == nullptr || (!of->target_value && !of->target_average)) return std::nullopt;
  Line out{of->target_value
               ? fmt::format("target of HPA {}", hpa.name)
               : fmt::format("target of HPA {}: {} x replicas", hpa.name, *of->target_average),
           {},
           true};
  for (const HpaSample& sample : hpa.samples) {
    std::optional<double> at = of->target_value;
    if (!at && sample.state.current)
      at = *of->target_average * static_cast<double>(*sample.state.current);
    out.points.emplace_back(sample.at, sample.error.empty() ? at : std::nullopt);
  }
  return out;
}

std::string section_of(const MetricTrack& track, const Timeline& timeline, double seconds) {
  const auto errors = errors_of(track.samples);
  const auto failures = failures_of(track.samples, seconds);
  auto values =
      lines_of(track, [](const Sample&, const scalers::Reading& reading) { return reading.value; });
  for (const HpaTrack& hpa : timeline.hpas) {
    if (auto target = target_of(hpa, track.name)) values.push_back(std::move(*target));
  }
  std::string out = fmt::format("<h2>{}</h2>\n", html_escaped(track.name));
  out += svg_of({"value", seconds, std::move(values), errors, failures});
  // Errors have no age: a track of errors alone would have an empty plot.
  auto ages = lines_of(track, age_of);
  if (!ages.empty()) out += svg_of({"age in seconds", seconds, std::move(ages), errors, failures});
  if (!errors.empty())
    out += changes_of(track.samples, [](const Sample& sample) { return sample.error; });
  return out;
}

std::string section_of(const HpaTrack& track, const Timeline& timeline, double seconds) {
  std::vector<Line> lines{replicas_of(track, "current", &HpaState::current),
                          replicas_of(track, "desired", &HpaState::desired)};
  for (const auto& [name, which] :
       {std::pair("min", &HpaState::least), std::pair("max", &HpaState::most)}) {
    Line bound = replicas_of(track, name, which);
    const bool is_known = std::ranges::any_of(bound.points, [](const auto& point) {
      return point.second.has_value();
    });
    if (is_known) lines.push_back(std::move(bound));
  }
  auto failures = failures_of(track.samples, seconds);
  // Replicas that do not move are explained by a metric that fails.
  for (const MetricTrack& metric : timeline.metrics) {
    if (metric_in(track, metric.name) == nullptr) continue;
    const auto failed = failures_of(metric.samples, seconds);
    failures.insert(failures.end(), failed.begin(), failed.end());
  }
  return fmt::format("<h2>HPA {}</h2>\n", html_escaped(track.name)) +
         svg_of({"replicas", seconds, std::move(lines), errors_of(track.samples), failures}) +
         changes_of(track.samples, condition_text);
}

std::string count_text(const std::optional<std::int64_t>& count) {
  return count ? fmt::format("{}", *count) : "unknown";
}

// All values for the readout: [{"name":..., "points":[[seconds, text], ...]}].
std::string points_of(const Timeline& timeline) {
  // A copy of all values for the script, because the plots are rounded to a tenth of a unit.
  json out = json::array();
  for (const MetricTrack& track : timeline.metrics) {
    json points = json::array();
    for (const Sample& sample : track.samples) {
      std::string text = sample.error;
      for (const scalers::Reading& reading : sample.readings)
        text += fmt::format("{}{} {}",
                            text.empty() ? "" : ", ",
                            text_of(reading.labels),
                            apiservice::decimal(reading.value));
      points.push_back({sample.at, text});
    }
    out.push_back({{"name", track.name}, {"points", points}});
  }
  for (const HpaTrack& track : timeline.hpas) {
    json points = json::array();
    for (const HpaSample& sample : track.samples) {
      const HpaState& state = sample.state;
      points.push_back({sample.at,
                        sample.error.empty() ? fmt::format("{} replicas, {} desired",
                                                           count_text(state.current),
                                                           count_text(state.desired))
                                             : sample.error});
    }
    out.push_back({{"name", "HPA " + track.name}, {"points", points}});
  }
  // ASCII and with replacements, because names and errors may hold invalid UTF-8.
  std::string text = out.dump(-1, ' ', true, json::error_handler_t::replace);
  // `</script>` would end the element.
  for (auto at = text.find('<'); at != text.npos; at = text.find('<', at))
    text.replace(at, 1, "\\u003c");
  return text;
}

}  // namespace

std::string page_of(const Timeline& timeline) {
  const double seconds = length_of(timeline);
  std::string out = kHead;
  out += fmt::format(
      "<h1>weir record</h1>\n<p>From {}, {:.0f} s. Move the pointer over a plot to "
      "read its values.</p>\n<div id=\"readout\"></div>\n",
      apiservice::rfc3339(timeline.began),
      seconds);
  for (const MetricTrack& track : timeline.metrics) out += section_of(track, timeline, seconds);
  for (const HpaTrack& track : timeline.hpas) out += section_of(track, timeline, seconds);
  // A browser does not execute a script of this type.
  out += fmt::format("<script type=\"application/json\" id=\"points\">{}</script>\n",
                     points_of(timeline));
  return out + kScript + "</body></html>\n";
}

}  // namespace weir::server::record
