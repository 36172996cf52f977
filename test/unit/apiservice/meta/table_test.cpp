#include "apiservice/meta/table.hpp"

#include "apiservice/groups/external_values.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::Reading;
using Include = TableOptions::Include;

const WallTime kTime{std::chrono::seconds{1'795'219'200}};

// As a group hands it in.
constexpr TableItem kItem{"ExternalMetricValue",
                          "external.metrics.k8s.io/v1beta1",
                          &append_value_fields};

std::string table(TableOptions options, const std::vector<Reading>& readings) {
  std::string out;
  append_value_table(out, options, kItem, "q", readings);
  return out;
}

std::string rows_of(const std::string& text) { return text.substr(text.find("\"rows\"")); }

TEST_CASE("case 50: a Table has four columns and a row for each value") {
  const std::string out = table({}, {{{{"queue", "a"}, {"b", "<"}}, 1.5, kTime}, {{}, 0, kTime}});

  CHECK(out ==
        R"({"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":[)"
        R"({"name":"Name","type":"string","format":"name","description":"The metric's name.",)"
        R"("priority":0},)"
        R"({"name":"Labels","type":"string","format":"","description":"The labels of the value.",)"
        R"("priority":0},)"
        R"({"name":"Value","type":"string","format":"","description":"The value, as a decimal.",)"
        R"("priority":0},)"
        R"({"name":"Timestamp","type":"string","format":"","description":"When the source was )"
        R"(queried for the value.","priority":0}],"rows":[)"
        R"({"cells":["q","b=\u003c,queue=a","1.5","2026-11-21T00:00:00Z"],"object":)"
        R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)"
        R"({"name":"q","creationTimestamp":null,"labels":{"b":"\u003c","queue":"a"}}}},)"
        R"({"cells":["q","\u003cnone\u003e","0","2026-11-21T00:00:00Z"],"object":)"
        R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)"
        R"({"name":"q","creationTimestamp":null}}}]})"
        "\n");
}

TEST_CASE("a Table without a row has an empty array") {
  CHECK(rows_of(table({}, {})) == "\"rows\":[]}\n");
}

TEST_CASE("a Table of v1beta1 has that version in itself and its rows") {
  const std::string out =
      table({.is_v1beta1 = true, .include = Include::metadata}, {{{}, 0, kTime}});

  CHECK(out.find(R"("kind":"Table","apiVersion":"meta.k8s.io/v1beta1")") != out.npos);
  CHECK(out.find(R"("kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1")") !=
        out.npos);
}

TEST_CASE("includeObject selects the object of each row") {
  const std::vector<Reading> one{{{}, 7, kTime}};
  const std::string cells =
      R"("rows":[{"cells":["q","\u003cnone\u003e","7","2026-11-21T00:00:00Z"],)";

  CHECK(rows_of(table({.is_v1beta1 = false, .include = Include::none}, one)) ==
        cells + "\"object\":null}]}\n");
  CHECK(rows_of(table({.is_v1beta1 = false, .include = Include::object}, one)) ==
        cells + R"("object":{"kind":"ExternalMetricValue",)"
                R"("apiVersion":"external.metrics.k8s.io/v1beta1","metricName":"q",)"
                R"("metricLabels":{},"timestamp":"2026-11-21T00:00:00Z","value":"7"}}]})"
                "\n");
}

TEST_CASE("includeObject has three values") {
  struct Row {
    std::string_view name;
    std::string value;
    Include include;
  };
  const Row rows[] = {{"empty", "", Include::metadata},
                      {"Metadata", "Metadata", Include::metadata},
                      {"Object", "Object", Include::object},
                      {"None", "None", Include::none}};

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Request request;
      request.query = {{"includeObject", row.value}};
      CHECK(std::get<Include>(parse_include(request)) == row.include);
    }
  }
}

TEST_CASE("another includeObject is 422") {
  Request request;
  request.query = {{"includeObject", "none"}};

  const auto refused = std::get<Status>(parse_include(request));

  CHECK(refused.code == 422);
  CHECK(refused.message ==
        "TableOptions.meta.k8s.io \"\" is invalid: includeObject: Invalid value: \"none\": must be "
        "'Metadata', 'Object', 'None', or empty");
}

}  // namespace
}  // namespace weir::apiservice
