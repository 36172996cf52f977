// Parses the objects with nlohmann-json. No other file of the doctor reads JSON fields of objects.
#include "server/commands/doctor/objects.hpp"

#include "apiservice/meta/label_selector.hpp"
#include "server/crypto/base64.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace weir::server::doctor {
namespace {

using nlohmann::json;

// Absent fields read as null, so that callers need no check for each level.
const json& field(const json& object, const char* name) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto value = object.find(name);
  return value == object.end() ? kNothing : *value;
}

const json& list_in(const json& object, const char* name) {
  // Static, because callers iterate over the reference.
  static const json kEmpty = json::array();
  const json& value = field(object, name);
  return value.is_array() ? value : kEmpty;
}

std::string text_in(const json& object, const char* name) {
  const json& value = field(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number_in(const json& object, const char* name, std::int64_t otherwise) {
  const json& value = field(object, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool flag_in(const json& object, const char* name, bool otherwise) {
  const json& value = field(object, name);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

Labels labels_in(const json& object, const char* name) {
  Labels out;
  const json& value = field(object, name);
  if (!value.is_object()) return out;
  for (const auto& item : value.items()) {
    if (item.value().is_string()) out.emplace(item.key(), item.value().get<std::string>());
  }
  return out;
}

std::vector<Condition> conditions_of(const json& object) {
  std::vector<Condition> out;
  for (const json& item : list_in(field(object, "status"), "conditions")) {
    out.push_back({text_in(item, "type"),
                   text_in(item, "status"),
                   text_in(item, "reason"),
                   text_in(item, "message")});
  }
  return out;
}

// The selector in the form in which the HPA controller sends it.
std::vector<scalers::LabelRequirement> requirements_of(const std::string& selector) {
  auto out = apiservice::parse_selector(apiservice::selector_text(selector));
  return out ? std::move(*out) : std::vector<scalers::LabelRequirement>{};
}

ExternalUse use_of(const json& external) {
  const json& metric = field(external, "metric");
  const json& target = field(external, "target");
  const std::string selector = field(metric, "selector").dump();
  auto bad_labels = apiservice::bad_labels(selector);
  // With a bad one the text may parse as another selector, such as that of the value "a,b".
  auto requirements =
      bad_labels.empty() ? requirements_of(selector) : std::vector<scalers::LabelRequirement>{};
  return {text_in(metric, "name"),
          std::move(requirements),
          text_in(target, "type"),
          // The controller looks at which field is set. The kube-apiserver has validated the
          // quantity.
          !field(target, "value").is_null(),
          !field(target, "averageValue").is_null(),
          std::move(bad_labels)};
}

// KEDA sets the ScaledObject as the owner of the HPAs that it creates. Only the kind is compared,
// because the version of KEDA's group may change.
std::string scaled_object_of(const json& metadata) {
  for (const json& owner : list_in(metadata, "ownerReferences")) {
    if (text_in(owner, "kind") == "ScaledObject") return text_in(owner, "name");
  }
  return {};
}

Autoscaler autoscaler_of(const json& object) {
  const json& metadata = field(object, "metadata");
  Autoscaler out;
  out.name = {text_in(metadata, "namespace"), text_in(metadata, "name")};
  out.scaled_object = scaled_object_of(metadata);
  for (const json& metric : list_in(field(object, "spec"), "metrics")) {
    if (text_in(metric, "type") == "External")
      out.uses.push_back(use_of(field(metric, "external")));
  }
  out.conditions = conditions_of(object);
  return out;
}

}  // namespace

ApiServiceObject parse_api_service(const json& object) {
  const json& spec = field(object, "spec");
  const json& service = field(spec, "service");
  ApiServiceObject out;
  // Without a Service the kube-apiserver serves the group version itself.
  if (service.is_object()) {
    out.service = ObjectName{text_in(service, "namespace"), text_in(service, "name")};
    out.port = number_in(service, "port", out.port);
  }
  out.skips_verify = flag_in(spec, "insecureSkipTLSVerify", false);
  // The field is []byte in Go, which JSON holds in base64.
  auto pem = cluster::base64_decoded(text_in(spec, "caBundle"));
  out.is_ca_base64 = pem.has_value();
  out.ca_pem = std::move(pem).value_or("");
  out.labels = labels_in(field(object, "metadata"), "labels");
  out.conditions = conditions_of(object);
  return out;
}

ServiceObject parse_service(const json& object) {
  const json& spec = field(object, "spec");
  ServiceObject out;
  out.type = text_in(spec, "type");
  out.external_name = text_in(spec, "externalName");
  out.labels = labels_in(field(object, "metadata"), "labels");
  for (const json& port : list_in(spec, "ports"))
    out.ports.push_back({text_in(port, "name"), number_in(port, "port", 0)});
  return out;
}

std::vector<Endpoint> parse_endpoints(const json& slices) {
  std::vector<Endpoint> out;
  for (const json& slice : list_in(slices, "items")) {
    // The ports belong to the slice, and all of its endpoints have them. A single port may have the
    // empty name.
    std::map<std::string, std::int64_t> ports;
    for (const json& port : list_in(slice, "ports"))
      ports.emplace(text_in(port, "name"), number_in(port, "port", 0));
    for (const json& endpoint : list_in(slice, "endpoints")) {
      const json& target = field(endpoint, "targetRef");
      // An absent condition means ready.
      const bool is_ready = flag_in(field(endpoint, "conditions"), "ready", true);
      // An endpoint may also belong to a node or to nothing, such as in a manual EndpointSlice.
      const std::string pod = text_in(target, "kind") == "Pod" ? text_in(target, "name") : "";
      // A pod with two address families is in two slices, once with each address.
      for (const json& address : list_in(endpoint, "addresses")) {
        if (address.is_string()) out.push_back({address.get<std::string>(), is_ready, pod, ports});
      }
    }
  }
  return out;
}

AutoscalerPage parse_autoscalers(const json& list) {
  AutoscalerPage out;
  for (const json& item : list_in(list, "items")) {
    Autoscaler autoscaler = autoscaler_of(item);
    // HPAs that only use CPU or memory do not depend on Weir.
    if (!autoscaler.uses.empty()) out.autoscalers.push_back(std::move(autoscaler));
  }
  out.next = text_in(field(list, "metadata"), "continue");
  return out;
}

std::set<std::string> parse_resources(const json& list) {
  std::set<std::string> out;
  for (const json& resource : list_in(list, "resources")) out.insert(text_in(resource, "name"));
  return out;
}

// The kube-apiserver fills the field: `default` when the Pod names no account.
std::string parse_account(const json& pod) {
  return text_in(field(pod, "spec"), "serviceAccountName");
}

std::string parse_version(const json& version) { return text_in(version, "gitVersion"); }

}  // namespace weir::server::doctor
