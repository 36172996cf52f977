// Negotiation: Accept, pretty and the user agent.
#include "apiservice/negotiation/media_type.hpp"

#include "apiservice/meta/status.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

using Media = MediaType::Media;
using Conversion = MediaType::Conversion;

constexpr SupportedMediaTypes kMetric{.has_protobuf = true,
                                      .has_table = true,
                                      .has_group_discovery = false};
constexpr SupportedMediaTypes kGroups{.has_protobuf = false,
                                      .has_table = false,
                                      .has_group_discovery = true};

constexpr MediaType kJson{Media::json, Conversion::as_is, false};
constexpr MediaType kPretty{Media::json, Conversion::as_is, true};
constexpr MediaType kYaml{Media::yaml, Conversion::as_is, false};
constexpr MediaType kProtobuf{Media::protobuf, Conversion::as_is, false};
constexpr MediaType kTable{Media::json, Conversion::table_v1, false};
constexpr MediaType kTableBeta{Media::json, Conversion::table_v1beta1, false};
constexpr MediaType kAggregated{Media::json, Conversion::group_discovery, false};

const std::string kTableV1 = "application/json;as=Table;v=v1;g=meta.k8s.io";
const std::string kV2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const std::string kV2beta1 =
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

Request accepting(std::string accept) {
  Request out;
  out.headers = {{"accept", std::move(accept)}};
  return out;
}

struct Row {
  std::string_view name;
  std::string accept;
  std::optional<MediaType> form;
};

TEST_CASE("the Accept header selects the media type of a metric") {
  const Row rows[] = {
      {"case 53: empty", "", kJson},
      {"everything", "*/*", kJson},
      {"everything, short", "*", kJson},
      {"application/*", "application/*", kJson},
      {"JSON", "application/json", kJson},
      {"kubectl --raw", "application/json, */*", kJson},
      {"case 45: YAML", "application/yaml", kYaml},
      {"case 46: protobuf", "application/vnd.kubernetes.protobuf", kProtobuf},
      {"the HPA controller", "application/vnd.kubernetes.protobuf, */*", kProtobuf},
      {"the same without a blank", "application/vnd.kubernetes.protobuf,*/*", kProtobuf},
      {"the broad first: the named type wins", "*/*,application/yaml", kYaml},
      {"of two named ones the first", "application/yaml,application/json", kYaml},
      {"case 48: another type", "text/plain", std::nullopt},
      {"text/*", "text/*", std::nullopt},
      {"*/json is none", "*/json", std::nullopt},
      {"case 49: CBOR", "application/cbor", std::nullopt},
      {"case 49: CBOR, then JSON", "application/cbor,application/json", kJson},
      {"CBOR by quality, then YAML", "application/yaml;q=0.1,application/cbor", kYaml},
      {"capitals", "Application/JSON", std::nullopt},
      {"capitals in the subtype", "application/YAML", std::nullopt},
      {"case 52: quality", "application/json;q=0.1,application/yaml", kYaml},
      {"quality after a parameter", "application/json;x=y;q=0.1,application/yaml;q=0.2", kYaml},
      {"no quality counts as 1", "application/yaml;q=0.9,application/json", kJson},
      {"a quality of 0 excludes nothing", "application/yaml;q=0", kYaml},
      {"a quality that is not a number is 0",
       "application/yaml;q=high,application/json;q=0.1",
       kJson},
      {"a quality that is NaN", "application/yaml;q=nan,application/json;q=0.1", kJson},
      {"unknown parameters", "application/json;charset=utf-8;profile=nopeer", kJson},
      {"a parameter without a value", "application/yaml;as", kYaml},
      {"a parameter with two values", "application/yaml;as=a=b", kYaml},
      {"blanks everywhere", " application/yaml ; q=1 , text/plain ", kYaml},
      {"commas alone", ",,", std::nullopt},
      {"a type without a subtype", "application", std::nullopt},
      {"too many slashes", "application/json/x", std::nullopt},
      {"pretty by parameter", "application/json;pretty=1", kPretty},
      {"pretty=true is not 1", "application/json;pretty=true", kJson},
      {"pretty YAML is YAML", "application/yaml;pretty=1", kYaml},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(negotiate(accepting(row.accept), kMetric) == row.form); }
  }
  CHECK(negotiate(Request{}, kMetric) == kJson);
}

TEST_CASE("case 50: the Accept header may ask for a Table of values") {
  const std::string of_group = ";g=meta.k8s.io";
  const Row rows[] = {
      {"v1", kTableV1, kTable},
      {"parameters the other way", "application/json" + of_group + ";v=v1;as=Table", kTable},
      {"v1beta1", "application/json;as=Table;v=v1beta1" + of_group, kTableBeta},
      {"YAML",
       "application/yaml;as=Table;v=v1" + of_group,
       MediaType{Media::yaml, Conversion::table_v1, false}},
      {"everything", "*/*;as=Table;v=v1" + of_group, kTable},
      {"protobuf", "application/vnd.kubernetes.protobuf;as=Table;v=v1" + of_group, std::nullopt},
      {"v2", "application/json;as=Table;v=v2" + of_group, std::nullopt},
      {"another group", "application/json;as=Table;v=v1;g=meta", std::nullopt},
      {"no group", "application/json;as=Table;v=v1", std::nullopt},
      {"kubectl get",
       kTableV1 + ",application/json;as=Table;v=v1beta1" + of_group + ",application/json",
       kTable},
      {"metadata only",
       "application/json;as=PartialObjectMetadataList;v=v1" + of_group,
       std::nullopt},
      {"metadata only, then JSON",
       "application/json;as=PartialObjectMetadataList;v=v1" + of_group + ",application/json",
       kJson},
      {"aggregated discovery", kV2, std::nullopt},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(negotiate(accepting(row.accept), kMetric) == row.form); }
  }
}

TEST_CASE("cases 62 and 64: the Accept header selects the form of the groups") {
  const Row rows[] = {
      {"v2", kV2, kAggregated},
      {"v2, its parameters the other way",
       "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
       kAggregated},
      {"kube-apiserver 1.36", kV2 + "," + kV2beta1, kAggregated},
      {"kubectl 1.33", kV2 + "," + kV2beta1 + ",application/json", kAggregated},
      {"kubectl 1.36", kV2 + ";profile=nopeer", kAggregated},
      {"kubectl 1.27", kV2beta1 + ",application/json", kJson},
      {"v2beta1 alone", kV2beta1, std::nullopt},
      {"JSON first", "application/json," + kV2, kJson},
      {"another list", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupList", std::nullopt},
      {"protobuf alone", "application/vnd.kubernetes.protobuf", std::nullopt},
      {"client-go", "application/vnd.kubernetes.protobuf,application/json", kJson},
      {"a Table", kTableV1, std::nullopt},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(negotiate(accepting(row.accept), kGroups) == row.form); }
  }
}

TEST_CASE("cases 36 and 37: which clients get indented JSON") {
  struct Case {
    std::string_view name;
    std::string agent;
    std::optional<std::string> pretty;
    bool is_pretty;
  };
  const Case rows[] = {
      {"nobody in particular", "", std::nullopt, false},
      {"kubectl", "kubectl/v1.33.1", std::nullopt, false},
      {"curl", "curl/8.0", std::nullopt, true},
      {"Wget", "Wget/1.21", std::nullopt, true},
      {"a browser", "Mozilla/5.0 (X11)", std::nullopt, true},
      {"an old browser", "Mozilla/4.0", std::nullopt, false},
      {"capitals count", "Curl/8", std::nullopt, false},
      {"pretty=true", "", "true", true},
      {"pretty=1", "", "1", true},
      {"pretty=T", "", "T", true},
      {"pretty=yes is not a Go boolean", "", "yes", false},
      {"pretty=0", "", "0", false},
      {"curl with pretty=false", "curl/8.0", "false", false},
      {"curl with nonsense", "curl/8.0", "x", false},
      {"curl with an empty one", "curl/8.0", "", true},
  };

  for (const Case& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Request request = accepting("application/json");
      request.headers.push_back({"user-agent", row.agent});
      if (row.pretty) request.query = {{"pretty", *row.pretty}};

      CHECK(negotiate(request, kMetric) ==
            MediaType{Media::json, Conversion::as_is, row.is_pretty});
    }
  }
}

TEST_CASE("pretty=false does not override the media type's own parameter, as in Go") {
  Request request = accepting("application/json;pretty=1");
  request.query = {{"pretty", "false"}};

  CHECK(negotiate(request, kMetric) == kPretty);
}

TEST_CASE("406 is indented JSON with the supported types") {
  const Response metric = not_acceptable(kMetric);
  const Response groups = not_acceptable(kGroups);

  CHECK(metric.status == 406);
  CHECK(metric.content_type == "application/json");
  CHECK(metric.body ==
        "{\n  \"kind\": \"Status\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {},\n"
        "  \"status\": \"Failure\",\n"
        "  \"message\": \"only the following media types are accepted: application/json, "
        "application/yaml, application/vnd.kubernetes.protobuf\",\n"
        "  \"reason\": \"NotAcceptable\",\n  \"code\": 406\n}");
  CHECK(groups.body.find("accepted: application/json, application/yaml\"") != std::string::npos);
}

TEST_CASE("an error has the media type that the caller accepts, or JSON") {
  struct Case {
    std::string_view name;
    std::string accept;
    std::string_view content_type;
    std::string_view start;
  };
  const Case rows[] = {
      {"JSON", "application/json", "application/json", R"({"kind":"Status")"},
      {"YAML", "application/yaml", "application/yaml", "apiVersion: v1\ncode: 401\nkind: Status\n"},
      {"protobuf first", "application/vnd.kubernetes.protobuf, */*", kProtobufType, "k8s"},
      {"a Table is for values", kTableV1 + ",application/json", "application/json", "{"},
      {"nothing that there is", "text/plain", "application/json", R"({"kind":"Status")"},
      {"pretty", "application/json;pretty=1", "application/json", "{\n  \"kind\": \"Status\""},
  };

  for (const Case& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const MediaType form = status_media_type(accepting(row.accept));

      const Response out = encode_status(render(unauthorized()), form);

      CHECK(out.status == 401);
      CHECK(out.content_type == row.content_type);
      CHECK(out.body.substr(0, row.start.size()) == row.start);
    }
  }
}

TEST_CASE("the media type of a 406, and of a response that is not a Status, is fixed") {
  const Response page = encode_status(page_not_found(), kProtobuf);
  const Response good = encode_status({200, "application/json", "{}"}, kYaml);
  const Response refused = encode_status(not_acceptable(kGroups), kProtobuf);

  CHECK(page.body == "404 page not found\n");
  CHECK(good.body == "{}");
  CHECK(refused.body == not_acceptable(kGroups).body);
}

}  // namespace
}  // namespace weir::apiservice
