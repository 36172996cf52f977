#include "apiservice/negotiation/media_type.hpp"

#include "apiservice/encoding/go_text.hpp"
#include "apiservice/encoding/json.hpp"
#include "apiservice/encoding/protobuf.hpp"
#include "apiservice/encoding/yaml.hpp"
#include "apiservice/meta/status.hpp"
#include "apiservice/negotiation/accept.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::apiservice {
namespace {

using Media = Form::Media;
using Shape = Form::Shape;

struct Known {
  std::string_view subtype;  // of application/
  Media media;
};
// In the order of preference.
constexpr std::array<Known, 3> kKnown{
    {{"json", Media::json}, {"yaml", Media::yaml}, {"vnd.kubernetes.protobuf", Media::protobuf}}};

bool is_offered(Media media, Offer offer) { return media != Media::protobuf || offer.has_protobuf; }

// What the clause wants the answer turned into; nullopt when the offer has no such thing.
std::optional<Shape> shape_of(const AcceptClause& clause, Media media, Offer offer) {
  const std::string_view as = clause.parameter("as");
  if (as.empty()) return Shape::as_is;
  if (media == Media::protobuf) return std::nullopt;
  const std::string_view group = clause.parameter("g");
  const std::string_view version = clause.parameter("v");
  if (offer.has_table && as == "Table" && group == "meta.k8s.io") {
    if (version == "v1") return Shape::table_v1;
    if (version == "v1beta1") return Shape::table_v1beta1;
  }
  if (offer.has_group_discovery && as == "APIGroupDiscoveryList" &&
      group == "apidiscovery.k8s.io" && version == "v2")
    return Shape::group_discovery;
  return std::nullopt;
}

std::optional<Form> form_of(const AcceptClause& clause, Offer offer) {
  for (const Known& known : kKnown) {
    if (!is_offered(known.media, offer) || !clause.takes("application", known.subtype)) continue;
    const auto shape = shape_of(clause, known.media, offer);
    if (shape) return Form{known.media, *shape, clause.parameter("pretty") == "1"};
  }
  return std::nullopt;
}

bool is_pretty(const Request& request) {
  const std::string_view asked = request.parameter("pretty");
  if (!asked.empty()) return parse_bool(asked);
  const std::string_view agent = request.header("user-agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

// What most callers send, answered without taking it apart.
std::optional<Form> usual(std::string_view accept, Offer offer) {
  if (accept.empty() || accept == "*/*" || accept == "application/json" ||
      accept == "application/json, */*")
    return Form{};
  if (offer.has_protobuf && accept == "application/vnd.kubernetes.protobuf, */*")
    return Form{Media::protobuf, Shape::as_is, false};
  return std::nullopt;
}

std::optional<Form> negotiated(std::string_view accept, Offer offer) {
  if (auto form = usual(accept, offer)) return form;
  for (const AcceptClause& clause : parse_accept(accept)) {
    if (auto form = form_of(clause, offer)) return form;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Form> form_of(const Request& request, Offer offer) {
  auto form = negotiated(request.header("accept"), offer);
  if (!form) return std::nullopt;
  if (form->media == Media::json) {
    form->is_pretty = form->is_pretty || is_pretty(request);
  } else {
    form->is_pretty = false;
  }
  return form;
}

Response not_acceptable(Offer offer) {
  std::string text =
      "only the following media types are accepted: application/json, "
      "application/yaml";
  if (offer.has_protobuf) {
    text += ", ";
    text += kProtobufType;
  }
  Response out = render({406, "NotAcceptable", std::move(text), std::nullopt});
  out.body = indented_json(out.body);
  return out;
}

Form status_form_of(const Request& request) {
  const Offer everything{.has_protobuf = true, .has_table = false, .has_group_discovery = false};
  if (const auto form = form_of(request, everything)) return *form;
  return Form{Media::json, Shape::as_is, is_pretty(request)};
}

Response status_in_form(Response answer, Form form) {
  const bool is_status =
      answer.status >= 400 && answer.status != 406 && answer.content_type == "application/json";
  if (!is_status) return answer;
  switch (form.media) {
    case Media::json:
      if (form.is_pretty) answer.body = indented_json(answer.body);
      break;
    case Media::yaml:
      answer.body = yaml_of_json(answer.body);
      answer.content_type = "application/yaml";
      break;
    case Media::protobuf:
      answer.body = protobuf_of_status(answer.body);
      answer.content_type = kProtobufType;
      break;
  }
  return answer;
}

Response document_in_form(std::string json, Form form) {
  if (form.media == Media::yaml) return {200, "application/yaml", yaml_of_json(json)};
  return {200, "application/json", form.is_pretty ? indented_json(json) : std::move(json)};
}

}  // namespace weir::apiservice
