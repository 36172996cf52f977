// Decoding and validation of metav1.ListOptions in the order of k8s.io/apiserver.
#include "apiservice/meta/list_options.hpp"

#include "apiservice/encoding/go_text.hpp"
#include "apiservice/encoding/json.hpp"
#include "apiservice/meta/field_selector.hpp"
#include "apiservice/meta/label_selector.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace weir::apiservice {
namespace {

struct Options {
  std::vector<scalers::LabelRequirement> labels;
  std::vector<FieldRequirement> fields;
};

// The options in the types of metav1.ListOptions, or the error of Go's decoder.
scalers::Result<Options> decode(const Request& request) {
  // Neither has an effect here, but Go's decoder rejects what is not a number.
  constexpr std::array<std::string_view, 2> kNumbers{"timeoutSeconds", "limit"};
  for (const std::string_view name : kNumbers) {
    if (!request.has_parameter(name)) continue;
    const auto number = parse_int(request.parameter(name));
    if (!number) return number.error();
  }
  auto labels = parse_selector(request.parameter("labelSelector"));
  if (!labels) return labels.error();
  auto fields = parse_field_selector(request.parameter("fieldSelector"));
  if (!fields) return fields.error();
  return Options{std::move(*labels), std::move(*fields)};
}

std::string unsupported_match(std::string_view match) {
  std::string out = "Unsupported value: ";
  append_json_string(out, match);
  return out + R"(: supported values: "Exact", "NotOlderThan", "")";
}

std::vector<StatusCause> faults_of(const Request& request) {
  std::vector<StatusCause> out;
  const auto forbid = [&out](std::string_view field, std::string_view why) {
    out.push_back({"FieldValueForbidden", fmt::format("Forbidden: {}", why), std::string(field)});
  };
  constexpr std::string_view kMatch = "resourceVersionMatch";
  const std::string_view match = request.parameter(kMatch);
  const std::string_view version = request.parameter("resourceVersion");
  if (!match.empty()) {
    if (version.empty())
      forbid(kMatch, "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (!request.parameter("continue").empty())
      forbid(kMatch, "resourceVersionMatch is forbidden when continue is provided");
    if (match != "Exact" && match != "NotOlderThan")
      out.push_back({"FieldValueNotSupported", unsupported_match(match), std::string(kMatch)});
    // The text has "exact" in lower case in Kubernetes too.
    if (match == "Exact" && version == "0")
      forbid(kMatch, R"(resourceVersionMatch "exact" is forbidden for resourceVersion "0")");
  }
  // Its presence counts, even with the value false.
  if (request.has_parameter("sendInitialEvents"))
    forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
  return out;
}

}  // namespace

std::variant<ListOptions, Status> parse_list_options(const Request& request) {
  // The usual read: an HPA without a selector sends no parameter.
  if (request.query.empty()) return ListOptions{};
  auto options = decode(request);
  if (!options) return status_of(options.error());
  auto faults = faults_of(request);
  if (!faults.empty()) return invalid("ListOptions", std::move(faults));
  // After the validation of the options, as in Kubernetes.
  const auto supported = check_fields(options->fields);
  if (!supported) return status_of(supported.error());
  return ListOptions{std::move(options->labels)};
}

bool is_true(const Request& request, std::string_view name) {
  if (!request.has_parameter(name)) return false;
  const std::string value = scalers::lower_case(request.parameter(name));
  return value != "0" && value != "false";
}

std::optional<std::string> selected_name(const Request& request) {
  if (!request.has_parameter("fieldSelector")) return std::nullopt;
  const auto options = decode(request);
  // One invalid option drops the name, as in Kubernetes' RequestInfo; the read is a 400 later.
  if (!options) return std::nullopt;
  for (const auto& [field, value, is_equal] : options->fields) {
    if (field != "metadata.name" || !is_equal) continue;
    // A name that cannot be a path segment is not one of an object.
    const bool is_segment =
        value != "." && value != ".." && value.find_first_of("/%") == std::string::npos;
    return is_segment ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace weir::apiservice
