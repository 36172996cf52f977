// Negotiation by the rules of k8s.io/apiserver, apart from the header's grammar (accept.cpp).
#include "apiservice/negotiation/media_type.hpp"

#include "apiservice/encoding/go_text.hpp"
#include "apiservice/encoding/json.hpp"
#include "apiservice/encoding/protobuf.hpp"
#include "apiservice/encoding/yaml.hpp"
#include "apiservice/meta/status.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::apiservice {
namespace {

using Media = MediaType::Media;
using Conversion = MediaType::Conversion;

struct KnownType {
  std::string_view subtype;  // of application/
  Media media;
};
// In the order of preference.
constexpr std::array<KnownType, 3> kKnownTypes{
    {{"json", Media::json}, {"yaml", Media::yaml}, {"vnd.kubernetes.protobuf", Media::protobuf}}};

bool is_supported(Media media, SupportedMediaTypes supported) {
  return media != Media::protobuf || supported.has_protobuf;
}

// The conversion that the clause requests; nullopt when it is not supported.
std::optional<Conversion> conversion_of(const AcceptClause& clause,
                                        Media media,
                                        SupportedMediaTypes supported) {
  const std::string_view as = clause.parameter("as");
  if (as.empty()) return Conversion::as_is;
  // Tables and aggregated discovery are written in JSON and YAML only.
  if (media == Media::protobuf) return std::nullopt;
  const std::string_view group = clause.parameter("g");
  const std::string_view version = clause.parameter("v");
  if (supported.has_table && as == "Table" && group == "meta.k8s.io") {
    if (version == "v1") return Conversion::table_v1;
    if (version == "v1beta1") return Conversion::table_v1beta1;
  }
  // Not v2beta1, which API servers from 1.33 on do not serve either.
  if (supported.has_group_discovery && as == "APIGroupDiscoveryList" &&
      group == "apidiscovery.k8s.io" && version == "v2")
    return Conversion::group_discovery;
  return std::nullopt;
}

std::optional<MediaType> media_type_of(const AcceptClause& clause, SupportedMediaTypes supported) {
  for (const KnownType& type : kKnownTypes) {
    if (!is_supported(type.media, supported) || !clause.takes("application", type.subtype))
      continue;
    const auto conversion = conversion_of(clause, type.media, supported);
    if (conversion) return MediaType{type.media, *conversion, clause.parameter("pretty") == "1"};
  }
  return std::nullopt;
}

}  // namespace

Negotiation::Negotiation(const Request& request)
    : request_(request), common_(common(request.header("accept"))) {
  if (common_ == Common::no) clauses_ = parse_accept(request.header("accept"));
}

Negotiation::Common Negotiation::common(std::string_view accept) {
  // The availability check sends no Accept, `kubectl get --raw` the last one of these.
  if (accept.empty() || accept == "*/*" || accept == "application/json" ||
      accept == "application/json, */*")
    return Common::json;
  // The header of the HPA controller.
  if (accept == "application/vnd.kubernetes.protobuf, */*") return Common::protobuf_or_json;
  return Common::no;
}

std::optional<MediaType> Negotiation::best(SupportedMediaTypes supported) const {
  if (common_ == Common::json) return MediaType{};
  if (common_ == Common::protobuf_or_json)
    return MediaType{supported.has_protobuf ? Media::protobuf : Media::json,
                     Conversion::as_is,
                     false};
  for (const AcceptClause& clause : clauses_) {
    // A clause with an unsupported conversion is skipped, so the JSON clause that kubectl sends
    // after its Table clauses still matches.
    if (auto media_type = media_type_of(clause, supported)) return media_type;
  }
  return std::nullopt;
}

std::optional<MediaType> Negotiation::media_type(SupportedMediaTypes supported) const {
  auto out = best(supported);
  if (!out) return std::nullopt;
  // pretty=false does not undo `;pretty=1` of the media type, as in Go.
  out->is_pretty = out->media == Media::json && (out->is_pretty || is_pretty());
  return out;
}

MediaType Negotiation::of_status() const {
  // Errors are never tables.
  const SupportedMediaTypes all{.has_protobuf = true,
                                .has_table = false,
                                .has_group_discovery = false};
  if (const auto out = media_type(all)) return *out;
  // A 406 instead would hide the error itself.
  return MediaType{Media::json, Conversion::as_is, is_pretty()};
}

bool Negotiation::accepts_json() const {
  return common_ != Common::no || std::ranges::any_of(clauses_, [](const AcceptClause& clause) {
           return clause.takes("application", "json");
         });
}

bool Negotiation::is_pretty() const {
  const std::string_view pretty = request_.parameter("pretty");
  if (!pretty.empty()) return parse_bool(pretty);
  // Tools in which a person reads the response, as Kubernetes lists them.
  const std::string_view agent = request_.header("user-agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

Response not_acceptable(SupportedMediaTypes supported) {
  std::string text =
      "only the following media types are accepted: application/json, "
      "application/yaml";
  if (supported.has_protobuf) {
    text += ", ";
    text += kProtobufType;
  }
  // Indented JSON always, as in Kubernetes, because no media type was agreed on.
  Response out = render({406, "NotAcceptable", std::move(text), std::nullopt});
  out.body = indented_json(out.body);
  return out;
}

Response encode_status(Response response, MediaType media_type) {
  // A 406 has its form already, and "404 page not found" is plain text.
  const bool is_status = response.status >= 400 && response.status != 406 &&
                         response.content_type == "application/json";
  if (!is_status) return response;
  switch (media_type.media) {
    case Media::json:
      if (media_type.is_pretty) response.body = indented_json(response.body);
      break;
    case Media::yaml:
      response.body = yaml_of_json(response.body);
      response.content_type = "application/yaml";
      break;
    case Media::protobuf:
      response.body = protobuf_of_status(response.body);
      response.content_type = kProtobufType;
      break;
  }
  return response;
}

Response encode(std::string json, MediaType media_type) {
  if (media_type.media == Media::yaml) return {200, "application/yaml", yaml_of_json(json)};
  return {200, "application/json", media_type.is_pretty ? indented_json(json) : std::move(json)};
}

}  // namespace weir::apiservice
