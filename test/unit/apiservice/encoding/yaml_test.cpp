#include "apiservice/encoding/yaml.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::apiservice {
namespace {

TEST_CASE("a document in YAML has sorted keys and lists at their key's depth") {
  const std::string yaml = yaml_of_json(
      R"({"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1",)"
      R"("metadata":{},"items":[{"metricName":"q","metricLabels":{"b":"1","a":"x"},)"
      R"("timestamp":"2026-11-21T00:00:00Z","value":"1500m"},)"
      R"({"metricName":"q","metricLabels":{},"timestamp":"2026-11-21T00:00:00Z","value":"42"}]})");

  CHECK(yaml == R"(apiVersion: external.metrics.k8s.io/v1beta1
items:
- metricLabels:
    a: x
    b: "1"
  metricName: q
  timestamp: "2026-11-21T00:00:00Z"
  value: 1500m
- metricLabels: {}
  metricName: q
  timestamp: "2026-11-21T00:00:00Z"
  value: "42"
kind: ExternalMetricValueList
metadata: {}
)");
}

TEST_CASE("scalars and empty and nested collections in YAML") {
  CHECK(yaml_of_json(R"({"a":[],"b":null,"c":true,"d":404,"e":[1,"x",{}],"f":{"g":{"h":""}}})") ==
        "a: []\nb: null\nc: true\nd: 404\ne:\n- 1\n- x\n- {}\nf:\n  g:\n    h: \"\"\n");
}

TEST_CASE("a string is quoted when YAML would read it as something else") {
  struct Row {
    std::string_view name;
    std::string_view text;
    std::string_view yaml;
  };
  const Row rows[] = {
      {"a word", "queue-len", "queue-len"},
      {"a quantity", "1500m", "1500m"},
      {"a thousand", "1k", "1k"},
      {"a slash", "external.metrics.k8s.io/v1beta1", "external.metrics.k8s.io/v1beta1"},
      {"a blank inside", "a b", "a b"},
      {"a colon inside", "UPPER.case:x", "UPPER.case:x"},
      {"a quote inside", "it's", "it's"},
      {"double quotes inside", "found \"x\" there", "found \"x\" there"},
      {"UTF-8", "\xc3\xa4", "\xc3\xa4"},
      {"a version", "1.2.3", "1.2.3"},
      {"minus in front", "-x", "-x"},
      {"empty", "", "\"\""},
      {"an integer", "42", "\"42\""},
      {"negative", "-1", "\"-1\""},
      {"a fraction", "1.5", "\"1.5\""},
      {"a fraction without a whole", ".5", "\".5\""},
      {"an exponent", "1e3", "\"1e3\""},
      {"a signed exponent", "1E-3", "\"1E-3\""},
      {"hexadecimal", "0x1F", "\"0x1F\""},
      {"binary", "0b1", "\"0b1\""},
      {"an underscore", "1_000", "\"1_000\""},
      {"a time of day", "12:30:45", "\"12:30:45\""},
      {"a date", "2026-11-21", "\"2026-11-21\""},
      {"a time", "2026-11-21T00:00:00Z", "\"2026-11-21T00:00:00Z\""},
      {"a time with a blank", "2026-1-2 3:04:05", "\"2026-1-2 3:04:05\""},
      {"almost a date", "2026-11-21x", "2026-11-21x"},
      {"true", "true", "\"true\""},
      {"capitals", "TRUE", "\"TRUE\""},
      {"one letter", "y", "\"y\""},
      {"off", "off", "\"off\""},
      {"null", "null", "\"null\""},
      {"tilde", "~", "\"~\""},
      {"not a number", ".nan", "\".nan\""},
      {"infinity", "-.inf", "\"-.inf\""},
      {"merge", "<<", "\"<<\""},
      {"default value", "=", "\"=\""},
      {"a colon and a blank", "a: b", "'a: b'"},
      {"a colon at the end", "a:", "'a:'"},
      {"a comment", "a #b", "'a #b'"},
      {"a dash and a blank", "- a", "'- a'"},
      {"a dash alone", "-", "'-'"},
      {"a question", "? a", "'? a'"},
      {"a star", "*", "'*'"},
      {"an anchor", "&a", "'&a'"},
      {"a list", "[a]", "'[a]'"},
      {"a map", "{a}", "'{a}'"},
      {"a quote in front", "'a", "'''a'"},
      {"a double quote in front", "\"a", "'\"a'"},
      {"a percent sign", "%a", "'%a'"},
      {"a blank in front", " a", "' a'"},
      {"a blank after", "a ", "'a '"},
      {"a document's start", "---", "'---'"},
      {"a line end", "a\nb", "\"a\\nb\""},
      {"a tab", "a\tb", "\"a\\tb\""},
      {"escape", "a\x1b", "\"a\\e\""},
      {"a control character", "a\x01", "\"a\\x01\""},
      {"a next line of Latin-1", "a\xc2\x85", "\"a\\N\""},
      {"a line separator", "a\xe2\x80\xa8", "\"a\\L\""},
      {"a backslash beside a line end", "\\\n", "\"\\\\\\n\""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string out;
      append_yaml_string(out, row.text);
      CHECK(out == row.yaml);
    }
  }
}

TEST_CASE("a key is quoted like a value") {
  CHECK(yaml_of_json(R"({"y":"a","1":"b"})") == "\"1\": b\n\"y\": a\n");
}

}  // namespace
}  // namespace weir::apiservice
