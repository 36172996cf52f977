// Values of external metrics, in JSON and, by the vectors of Kubernetes' generated marshaller, in
// protobuf.
#include "apiservice/groups/external_values.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::Labels;
using scalers::Reading;

const std::string kListHead =
    R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
    R"("metadata":{},"items":[)";

WallTime at(std::int64_t seconds, std::int64_t milliseconds = 0) {
  return WallTime{std::chrono::seconds{seconds} + std::chrono::milliseconds{milliseconds}};
}

std::string value_list(std::string_view metric, const std::vector<Reading>& readings) {
  std::string out;
  append_value_list(out, metric, readings);
  return out;
}

TEST_CASE("cases 1 and 58: a value has its labels as a map, and no window") {
  struct Row {
    std::string_view name;
    Labels labels;
    std::string_view json;
  };
  const Row rows[] = {
      {"no label: never null", {}, "{}"},
      {"one", {{"a", "b"}}, R"({"a":"b"})"},
      {"sorted by name", {{"b", "1"}, {"B", "3"}, {"a", "2"}}, R"({"B":"3","a":"2","b":"1"})"},
      {"an empty value", {{"a", ""}}, R"({"a":""})"},
      {"escapes", {{"a\"", "<\n\xff"}}, R"({"a\"":"\u003c\n\ufffd"})"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(value_list("queue-len", {{row.labels, 42, at(1'795'219'200)}}) ==
            kListHead + R"({"metricName":"queue-len","metricLabels":)" + std::string(row.json) +
                R"(,"timestamp":"2026-11-21T00:00:00Z","value":"42"}]})"
                "\n");
    }
  }
}

TEST_CASE("every reading is an item, in the order of the readings") {
  const std::vector<Reading> readings{{{{"q", "b"}}, 1.5, at(0)},
                                      {{{"q", "a"}}, 0, at(1)},
                                      {{{"q", "c"}}, 1e6, at(2)}};

  const std::string json = value_list("m&", readings);

  CHECK(json == kListHead + R"({"metricName":"m\u0026","metricLabels":{"q":"b"},)"
                            R"("timestamp":"1970-01-01T00:00:00Z","value":"1500m"},)"
                            R"({"metricName":"m\u0026","metricLabels":{"q":"a"},)"
                            R"("timestamp":"1970-01-01T00:00:01Z","value":"0"},)"
                            R"({"metricName":"m\u0026","metricLabels":{"q":"c"},)"
                            R"("timestamp":"1970-01-01T00:00:02Z","value":"1M"}]})"
                            "\n");
}

TEST_CASE("case 24: no reading is an empty array") {
  CHECK(value_list("m", {}) == kListHead + "]}\n");
}

TEST_CASE("a value list is appended to the existing text") {
  std::string out = "before";

  append_value_list(out, "m", {});

  CHECK(out == "before" + kListHead + "]}\n");
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string list_hex(std::string_view metric, const std::vector<Reading>& readings) {
  std::string out;
  append_value_list_protobuf(out, metric, readings);
  return hex(out);
}

const WallTime kTime{std::chrono::seconds{1'795'219'200}};
const std::string kType =
    "6b3873000a3a0a1f65787465726e616c2e6d6574726963732e6b38732e696f2f7631626574613112"
    "1745787465726e616c4d657472696356616c75654c697374";

TEST_CASE("case 46: one value in protobuf, byte for byte") {
  CHECK(list_hex("queue-len", {{{{"a", "b"}}, 42, kTime}}) ==
        "6b3873000a3a0a1f65787465726e616c2e6d6574726963732e6b38732e696f2f763162657461311217457874"
        "65726e616c4d657472696356616c75654c697374122d0a060a0012001a0012230a0971756575652d6c656e12"
        "060a01611201621a080880be83d80610002a040a0234321a002200");
}

TEST_CASE("case 24: an empty list in protobuf, byte for byte") {
  CHECK(list_hex("m", {}) == kType + "12080a060a0012001a001a002200");
}

TEST_CASE("labels come sorted, a negative time as ten bytes, and bad UTF-8 replaced") {
  const std::vector<Reading> readings{{{{"b", ""}, {"a", "\xff"}}, 0, WallTime{}},
                                      {{}, 1.5, WallTime{std::chrono::seconds{-1}}}};

  CHECK(list_hex("m", readings) ==
        kType + "12460a060a0012001a00" +
            "121f0a016d12080a01611203efbfbd12050a016212001a04080010002a030a0130" +
            "121b0a016d1a0d08ffffffffffffffffff0110002a070a05313530306d" + "1a002200");
}

TEST_CASE("a length over 127 takes two bytes") {
  const std::string item = list_hex(std::string(200, 'x'), {{{}, 0, WallTime{}}});

  CHECK(item.substr(kType.size(), 38) == "12e1010a060a0012001a0012d6010ac8017878");
}

}  // namespace
}  // namespace weir::apiservice
