// The JSON document of an explanation, apart from its parts in scalers/explanation: the names of
// its keys are a contract with scripts.
#include "apiservice/groups/explanation.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "apiservice/encoding/time.hpp"
#include "apiservice/meta/status.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>

namespace weir::apiservice {
namespace {

// Ordered, because people read the document from top to bottom.
using Json = nlohmann::ordered_json;
using scalers::Explanation;

double milliseconds(SteadyTime::duration span) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  return static_cast<double>(microseconds) / 1000;
}

// As Prometheus writes it: JSON has no NaN.
std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  return fmt::format("{}", value);
}

Json error_document(const scalers::Error& error) {
  const Status status = status_of(error);
  return {{"code", name_of(error.code)},
          {"status", status.code},
          {"reason", status.reason},
          {"message", status.message}};
}

// The scalar of an answer; nullptr when it is a set of labelled values.
template <class Value>
const Value* scalar(const std::vector<Value>& values, const scalers::Labels& bound) {
  const bool is_scalar = values.size() == 1 && values.front().labels == bound;
  return is_scalar ? &values.front() : nullptr;
}

Json result_document(const Explanation::BackendQuery& query) {
  if (!query.result) return {{"error", error_document(query.result.error())}};
  const auto value_document = [](const scalers::Reading& reading) {
    return Json{{"value", quantity(reading.value)}, {"timestamp", rfc3339(reading.taken_at)}};
  };
  // Most metrics are one number, which is easier to use than a list of one.
  if (const auto* one = scalar(*query.result, query.labels)) return value_document(*one);
  Json values = Json::array();
  for (const scalers::Reading& reading : *query.result) {
    values.push_back(value_document(reading));
    values.back()["labels"] = reading.labels;
  }
  return {{"values", std::move(values)}};
}

Json reply_document(const Explanation::BackendQuery& query) {
  Json out{{"queriedAt", rfc3339(query.queried_at)}};
  if (!query.notice.empty()) out["notice"] = query.notice;
  if (!query.reply) {
    out["error"] = error_document(query.reply.error());
  } else if (const auto* one = scalar(*query.reply, {})) {
    out["value"] = number_text(one->value);
  } else {
    out["samples"] = Json::array();
    for (const Explanation::Measured& sample : *query.reply)
      out["samples"].push_back({{"labels", sample.labels}, {"value", number_text(sample.value)}});
  }
  return out;
}

Json query_document(const Explanation::BackendQuery& query) {
  Json out;
  out["labels"] = query.labels;
  out["query"] = query.text;
  out["reply"] = reply_document(query);
  out["policies"] = Json::array();
  for (const Explanation::Policy& policy : query.policies) {
    out["policies"].push_back(
        {{"name", policy.name}, {"setting", policy.setting}, {"effect", policy.effect}});
  }
  if (query.diagnosis) {
    out["diagnosis"] = {{"cause", query.diagnosis->cause},
                        {"findings", query.diagnosis->findings},
                        {"queries", query.diagnosis->queries}};
  }
  out["result"] = result_document(query);
  out["steps"] = Json::array();
  for (const Explanation::Step& step : query.steps)
    out["steps"].push_back({{"name", step.name}, {"milliseconds", milliseconds(step.took)}});
  return out;
}

Json reasons_document(const scalers::ConnectionCounts::Reasons& reasons) {
  // {} and not null when there are none, so that scripts can iterate.
  Json out = Json::object();
  for (const auto& [reason, count] : reasons) out[reason] = count;
  return out;
}

Json backend_document(const Explanation::BackendFacts& backend) {
  const scalers::ConnectionCounts& counts = backend.connections;
  const auto& refused = counts.refused_credentials;
  // null and not absent, so that scripts find both keys.
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json() : Json(text);
  };
  return {{"name", backend.name},
          {"kind", backend.kind},
          {"isDown", backend.is_down},
          {"credentialsRefused", text_or_null(refused ? refused->error.message() : "")},
          {"fileProblem", text_or_null(backend.file_problem)},
          {"proxy", text_or_null(backend.proxy)},
          {"inFlight", backend.in_flight},
          {"waiting", backend.waiting},
          {"connections",
           {{"opened", counts.opened},
            {"closed", reasons_document(counts.closed)},
            {"failed", reasons_document(counts.failed)},
            {"breakerOpen", counts.is_breaker_open}}}};
}

// What the HPA sums, or the first error, which is then the whole response.
Json total_document(const Explanation& explanation) {
  double sum = 0;
  for (const Explanation::BackendQuery& query : explanation.queries) {
    if (!query.result) return result_document(query);
    for (const scalers::Reading& reading : *query.result) sum += reading.value;
  }
  // Not a quantity, because a sum may exceed the range of one.
  return {{"value", number_text(sum)}};
}

Json explanation_document(const Explanation& explanation, std::string_view selector) {
  Json out;
  out["kind"] = "MetricExplanation";
  // Unchanged by new fields; a changed meaning needs the next number.
  out["version"] = 2;
  out["namespace"] = explanation.name_space;
  out["metric"] = explanation.metric;
  out["selector"] = selector;
  out["entry"] = {{"file", explanation.entry.file}, {"line", explanation.entry.line}};
  out["settings"] = {{"deadlineMilliseconds", explanation.deadline.count()},
                     {"freshnessMilliseconds", explanation.freshness.count()}};
  out["backend"] = backend_document(explanation.backend);
  out["queries"] = Json::array();
  for (const Explanation::BackendQuery& query : explanation.queries)
    out["queries"].push_back(query_document(query));
  out["result"] = total_document(explanation);
  return out;
}

}  // namespace

std::string explanation_text(const Explanation& explanation, std::string_view selector) {
  const Json document = explanation_document(explanation, selector);
  // Labels and texts of a backend need not be UTF-8, at which the strict dump() throws.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace weir::apiservice
