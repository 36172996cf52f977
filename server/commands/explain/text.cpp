// The explanation as a terminal shows it, and what an HPA would make of it.
#include "server/commands/explain/text.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "apiservice/meta/status.hpp"
#include "scalers/text/labels.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string_view>

namespace weir::server {
namespace {

using scalers::Explanation;

// The controller takes the largest result of all metrics of an HPA, and this one is one of them.
constexpr const char* kNote =
    "an estimate: the HPA also considers its other metrics, its behavior and ready pods";
// The effect of a policy that changed nothing, as the reader has it.
constexpr std::string_view kUnused = "not used";

// Names are as wide as the longest one. Texts are of backends, and a terminal takes commands from
// control bytes.
void add(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("{:<12} {}\n", name, scalers::printable(text));
}

std::string connections_text(const scalers::ConnectionCounts& counts) {
  std::string out = fmt::format("{} opened", counts.opened);
  for (const auto& [reason, count] : counts.closed)
    out += fmt::format(", {} closed ({})", count, reason);
  for (const auto& [reason, count] : counts.failed)
    out += fmt::format(", {} failed ({})", count, reason);
  return counts.is_breaker_open ? out + ", breaker open" : out;
}

// The values of a query, with their labels where there are several.
template <class Value, class Text>
std::string values_text(const std::vector<Value>& values, Text text_of) {
  // A single value needs no labels to tell it from others.
  if (values.size() == 1) return text_of(values.front().value);
  std::string out;
  for (const Value& value : values) {
    out += fmt::format("{}{} {}",
                       out.empty() ? "" : ", ",
                       scalers::labels_text(value.labels),
                       text_of(value.value));
  }
  return out;
}

std::string reply_text(const Explanation::BackendQuery& query) {
  // As the backend sent it, with every digit, because policies come after it.
  if (query.reply)
    return values_text(*query.reply, [](double value) { return fmt::format("{}", value); });
  return fmt::format("{}: {}", name_of(query.reply.error().code), query.reply.error().message());
}

std::string result_text(const scalers::Result<std::vector<scalers::Reading>>& result) {
  if (result) return values_text(*result, apiservice::decimal);
  // The Status that an HPA would get.
  const auto status = apiservice::status_of(result.error());
  return fmt::format("{} {}: {}", status.code, status.reason, status.message);
}

// The end of a cause that points to the findings, which are below it here.
constexpr std::string_view kPointer = "; weir explain lists ";

std::string cause_text(const scalers::Diagnosis& diagnosis) {
  // A diagnosis without a cause is shown too: otherwise it would seem that there was none.
  if (diagnosis.cause.empty()) return "no cause was found";
  return diagnosis.cause.substr(0, diagnosis.cause.find(kPointer));
}

// The result of a query and the cause right below it: what a person came for.
void add_result(std::string& out, const Explanation::BackendQuery& query) {
  std::string result = result_text(query.result);
  if (query.diagnosis && !query.diagnosis->cause.empty()) {
    // A Status ends with the cause, which has a line of its own here.
    const std::string tail = "; diagnosis: " + query.diagnosis->cause;
    if (result.ends_with(tail)) result.resize(result.size() - tail.size());
  }
  add(out, "result", result);
  if (!query.diagnosis) return;
  const std::string cause = cause_text(*query.diagnosis);
  add(out, "diagnosis", cause);
  for (const std::string& finding : query.diagnosis->findings) {
    if (finding != cause) add(out, "", "- " + finding);
  }
}

void add_query(std::string& out, const Explanation::BackendQuery& query, bool is_verbose) {
  // An empty line for each query, because a selector with several values sends several.
  out += '\n';
  for (const auto& [name, value] : query.labels)
    add(out, "label", fmt::format("{}={}", name, value));
  add_result(out, query);
  add(out, "query", query.text);
  add(out, "reply", reply_text(query));
  if (!query.notice.empty()) add(out, "notice", query.notice);
  for (const Explanation::Policy& policy : query.policies) {
    if (is_verbose || policy.effect != kUnused)
      add(out, "policy", fmt::format("{}: {} ({})", policy.name, policy.setting, policy.effect));
  }
  std::string steps;
  for (const Explanation::Step& step : query.steps) {
    // To a tenth of a millisecond, because a step may be shorter than one.
    const auto microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(step.took).count();
    steps += fmt::format("{}{} {:.1f} ms",
                         steps.empty() ? "" : ", ",
                         step.name,
                         static_cast<double>(microseconds) / 1000);
  }
  add(out, "took", steps);
}

void add_hpa(std::string& out, const Explanation& explanation, const HpaView& hpa) {
  out += '\n';
  // Why the HPA could not be read, in place of the replicas.
  if (!hpa.metric)
    return add(out, "hpa", fmt::format("{}: {}", hpa.name, hpa.metric.error().message()));
  const apiservice::HpaMetric& metric = *hpa.metric;
  add(out,
      "hpa",
      fmt::format("{}: {} {}, {} replicas of {} to {}",
                  hpa.name,
                  metric.is_average ? "AverageValue" : "Value",
                  metric.quantity,
                  metric.current_replicas,
                  metric.min_replicas,
                  metric.max_replicas));
  const auto value = total_of(explanation);
  if (!value)
    return add(
        out,
        "implies",
        "nothing: on an error the HPA does not scale on this metric, and removes no replicas");
  const auto implied = implied_replicas(metric, *value);
  add(out,
      "implies",
      fmt::format("{} replicas{}{} ({})",
                  implied.bounded,
                  // The number without the bounds is shown only when they change it.
                  implied.bounded == implied.wanted
                      ? ""
                      : fmt::format(", {} without the bounds", implied.wanted),
                  implied.is_within_tolerance ? "; the ratio is within the tolerance" : "",
                  kNote));
}

}  // namespace

std::optional<double> total_of(const Explanation& explanation) {
  double sum = 0;
  for (const Explanation::BackendQuery& query : explanation.queries) {
    // Without the failed query the sum would be too small.
    if (!query.result) return std::nullopt;
    for (const scalers::Reading& reading : *query.result) sum += reading.value;
  }
  return sum;
}

std::string terminal_text(const Explanation& explanation,
                          const std::optional<HpaView>& hpa,
                          bool is_verbose) {
  std::string out;
  add(out, "metric", fmt::format("{}/{}", explanation.name_space, explanation.metric));
  for (const Explanation::BackendQuery& query : explanation.queries)
    add_query(out, query, is_verbose);
  if (hpa) add_hpa(out, explanation, *hpa);
  out += '\n';
  // The position in the configuration, because several entries may have this name.
  add(out, "entry", fmt::format("{}:{}", explanation.entry.file, explanation.entry.line));
  const Explanation::BackendFacts& backend = explanation.backend;
  add(out, "backend", fmt::format("{} {}", backend.kind, backend.name));
  if (!backend.proxy.empty()) add(out, "proxy", backend.proxy);
  add(out,
      "connections",
      fmt::format("{}; {} queries in flight, {} waiting",
                  connections_text(backend.connections),
                  backend.in_flight,
                  backend.waiting));
  if (const auto& refused = backend.connections.refused_credentials) {
    add(out,
        "credentials",
        fmt::format("refused: {}{}",
                    refused->error.message(),
                    refused->is_older_in_use ? "; older ones are in use" : ""));
  }
  if (!backend.file_problem.empty()) add(out, "files", backend.file_problem);
  add(out,
      "settings",
      fmt::format("deadline {} ms, freshness {} ms",
                  explanation.deadline.count(),
                  explanation.freshness.count()));
  return out;
}

nlohmann::ordered_json hpa_document(const Explanation& explanation, const HpaView& hpa) {
  using Json = nlohmann::ordered_json;
  if (!hpa.metric) return {{"name", hpa.name}, {"error", hpa.metric.error().message()}};
  const apiservice::HpaMetric& metric = *hpa.metric;
  Json out{{"name", hpa.name},
           {"targetType", metric.is_average ? "AverageValue" : "Value"},
           {"target", metric.quantity},
           {"currentReplicas", metric.current_replicas},
           {"minReplicas", metric.min_replicas},
           {"maxReplicas", metric.max_replicas}};
  const auto value = total_of(explanation);
  // Without `implied`, because a null could be read as 0 replicas.
  if (!value) return out;
  const auto implied = implied_replicas(metric, *value);
  Json& shown = out["implied"];
  shown["replicas"] = implied.bounded;
  shown["replicasUnbounded"] = implied.wanted;
  // An HPA at 0 replicas has no ratio.
  if (implied.ratio) shown["ratio"] = *implied.ratio;
  shown["isWithinTolerance"] = implied.is_within_tolerance;
  shown["note"] = kNote;
  return out;
}

}  // namespace weir::server
