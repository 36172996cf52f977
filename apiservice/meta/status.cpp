// The only place that chooses HTTP codes and renders Status objects.
#include "apiservice/meta/status.hpp"

#include "apiservice/encoding/go_text.hpp"
#include "apiservice/encoding/json.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace weir::apiservice {
namespace {

struct Row {
  int code;
  std::string_view reason;
};

constexpr Row kUnavailable{503, "ServiceUnavailable"};

// 503 for every failure that is neither the caller's nor a limit of time or load.
Row row_of(scalers::Errc code) {
  using scalers::Errc;
  switch (code) {
    // A missing queue is an error, because zero would scale a workload down.
    case Errc::unknown_metric:
    case Errc::unknown_object: return {404, "NotFound"};
    case Errc::bad_request: return {400, "BadRequest"};
    case Errc::timed_out: return {504, "Timeout"};
    // client-go retries a 429 only with Retry-After, which Weir never sends.
    case Errc::overloaded: return {429, "TooManyRequests"};
    case Errc::no_value:
    case Errc::not_a_number:
    case Errc::negative:
    case Errc::out_of_range:
    case Errc::too_many:
    case Errc::too_large:
    case Errc::stale:
    case Errc::partial:
    case Errc::bad_reply:
    case Errc::unreachable:
    case Errc::tls:
    // The backend has rejected Weir's credentials. A 401 or 403 would blame the caller's.
    case Errc::refused:
    case Errc::forbidden:
    case Errc::settling:
    case Errc::misconfigured: return kUnavailable;
  }
  return kUnavailable;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  // Go omits empty fields.
  if (value.empty()) return;
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

void append_causes(std::string& out, const std::vector<StatusCause>& causes) {
  if (causes.empty()) return;
  out += R"(,"causes":[)";
  for (const StatusCause& cause : causes) {
    out += &cause == causes.data() ? "{" : ",{";
    append_field(out, "reason", cause.reason);
    append_field(out, "message", cause.message);
    append_field(out, "field", cause.field);
    out += '}';
  }
  out += ']';
}

}  // namespace

Status status_of(const scalers::Error& error) {
  const Row row = row_of(error.code);
  return {row.code, row.reason, error.message(), std::nullopt};
}

Response render(const Status& status) {
  Response out;
  out.status = status.code;
  // In the order of Go's fields. metadata is always present.
  out.body = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)";
  append_json_string(out.body, status.message);
  append_field(out.body, "reason", status.reason);
  if (status.details) {
    out.body += R"(,"details":{)";
    append_field(out.body, "group", status.details->group);
    append_field(out.body, "kind", status.details->kind);
    append_causes(out.body, status.details->causes);
    out.body += '}';
  }
  fmt::format_to(std::back_inserter(out.body), ",\"code\":{}}}\n", status.code);
  return out;
}

Status unauthorized() { return {401, "Unauthorized", "Unauthorized", std::nullopt}; }

Status resource_not_found() {
  return {404, "NotFound", "the server could not find the requested resource", StatusDetails{}};
}

Status method_not_allowed() {
  return {405,
          "MethodNotAllowed",
          "the server does not allow this method on the requested resource",
          StatusDetails{}};
}

Response internal_error(std::string_view target, std::string_view why) {
  return {500,
          "text/plain; charset=utf-8",
          sanitized(fmt::format("Internal Server Error: {}: {}\n", go_quoted(target), why))};
}

Status invalid(std::string_view kind, std::vector<StatusCause> causes) {
  std::vector<std::string> texts;
  for (const StatusCause& cause : causes) {
    texts.push_back(fmt::format("{}: {}", cause.field, cause.message));
  }
  const std::string why = fmt::format("{}", fmt::join(texts, ", "));
  return {422,
          "Invalid",
          // The empty quotes are the name of the object, which options do not have. Several causes
          // are one bracketed list, as in Go.
          fmt::format("{}.meta.k8s.io \"\" is invalid: {}",
                      kind,
                      texts.size() == 1 ? why : "[" + why + "]"),
          StatusDetails{"meta.k8s.io", std::string(kind), std::move(causes)}};
}

Status too_many_requests() {
  return {429, "TooManyRequests", "Too many requests, please try again later.", std::nullopt};
}

Response page_not_found() { return {404, "text/plain; charset=utf-8", "404 page not found\n"}; }

}  // namespace weir::apiservice
