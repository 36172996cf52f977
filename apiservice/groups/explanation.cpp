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

Json result_document(const scalers::Result<scalers::Reading>& result) {
  if (!result) return {{"error", error_document(result.error())}};
  return {{"value", quantity(result->value)}, {"timestamp", rfc3339(result->taken_at)}};
}

Json reply_document(const Explanation::Question& question) {
  Json out{{"askedAt", rfc3339(question.asked_at)}};
  if (question.value) out["value"] = number_text(*question.value);
  if (question.failure) out["error"] = error_document(*question.failure);
  return out;
}

Json question_document(const Explanation::Question& question) {
  Json out;
  out["labels"] = question.labels;
  out["question"] = question.text;
  out["reply"] = reply_document(question);
  out["policies"] = Json::array();
  for (const Explanation::Policy& policy : question.policies) {
    out["policies"].push_back(
        {{"name", policy.name}, {"setting", policy.setting}, {"effect", policy.effect}});
  }
  if (question.diagnosis) {
    out["diagnosis"] = {{"cause", question.diagnosis->cause},
                        {"findings", question.diagnosis->findings},
                        {"questions", question.diagnosis->questions}};
  }
  out["result"] = result_document(question.result);
  out["steps"] = Json::array();
  for (const Explanation::Step& step : question.steps)
    out["steps"].push_back({{"name", step.name}, {"milliseconds", milliseconds(step.took)}});
  return out;
}

Json reasons_document(const scalers::ConnectionCounts::Reasons& reasons) {
  Json out = Json::object();
  for (const auto& [reason, count] : reasons) out[reason] = count;
  return out;
}

Json backend_document(const Explanation::BackendFacts& backend) {
  const scalers::ConnectionCounts& counts = backend.connections;
  return {{"name", backend.name},
          {"kind", backend.kind},
          {"isDown", backend.is_down},
          {"inFlight", backend.in_flight},
          {"waiting", backend.waiting},
          {"connections",
           {{"opened", counts.opened},
            {"closed", reasons_document(counts.closed)},
            {"failed", reasons_document(counts.failed)},
            {"breakerOpen", counts.is_breaker_open}}}};
}

// What the HPA sums, or the first error, which is the whole answer.
Json total_document(const Explanation& explanation) {
  double sum = 0;
  for (const Explanation::Question& question : explanation.questions) {
    if (!question.result) return result_document(question.result);
    sum += question.result->value;
  }
  return {{"value", number_text(sum)}};
}

Json explanation_document(const Explanation& explanation, std::string_view selector) {
  Json out;
  out["kind"] = "MetricExplanation";
  out["version"] = 1;
  out["namespace"] = explanation.name_space;
  out["metric"] = explanation.metric;
  out["selector"] = selector;
  out["entry"] = {{"file", explanation.entry.file}, {"line", explanation.entry.line}};
  out["settings"] = {{"deadlineMilliseconds", explanation.deadline.count()},
                     {"freshnessMilliseconds", explanation.freshness.count()}};
  out["backend"] = backend_document(explanation.backend);
  out["questions"] = Json::array();
  for (const Explanation::Question& question : explanation.questions)
    out["questions"].push_back(question_document(question));
  out["result"] = total_document(explanation);
  return out;
}

}  // namespace

std::string explanation_text(const Explanation& explanation, std::string_view selector) {
  const Json document = explanation_document(explanation, selector);
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace weir::apiservice
