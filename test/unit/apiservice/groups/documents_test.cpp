#include "apiservice/groups/documents.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
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

TEST_CASE("a value list is appended to what is there") {
  std::string out = "before";

  append_value_list(out, "m", {});

  CHECK(out == "before" + kListHead + "]}\n");
}

TEST_CASE("case 57: a time has whole seconds, cut off, and a Z") {
  struct Row {
    std::string_view name;
    WallTime time;
    std::string_view text;
  };
  const Row rows[] = {
      {"the epoch", at(0), "1970-01-01T00:00:00Z"},
      {"a millisecond before a second", at(59, 999), "1970-01-01T00:00:59Z"},
      {"two digits each", at(981'173'106), "2001-02-03T04:05:06Z"},
      {"a leap day", at(1'709'251'199), "2024-02-29T23:59:59Z"},
      {"the day behind it", at(1'709'251'200), "2024-03-01T00:00:00Z"},
      {"no leap day in 2100", at(4'107'542'400), "2100-03-01T00:00:00Z"},
      {"beyond 32 bits", at(4'294'967'296), "2106-02-07T06:28:16Z"},
      {"before the epoch", at(-1), "1969-12-31T23:59:59Z"},
      {"a part of a second before the epoch", at(0, -1), "1969-12-31T23:59:59Z"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string out;
      append_rfc3339(out, row.time);
      CHECK(out == row.text);
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
