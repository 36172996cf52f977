#include "server/yaml/from_json.hpp"

#include "server/yaml/parse.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::server {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("YAML is in blocks, in the order of the JSON") {
  const auto value = Json::parse(
      R"({"kind":"List","metadata":{},"items":[{"name":"p95","labels":{"queue":"ml.embed"},"value":"1500m"},{"name":"b"}],
          "counts":[1,2.5,true,null,[3,[]]]})");

  CHECK(yaml_text(value) == R"(kind: List
metadata: {}
items:
- name: p95
  labels:
    queue: ml.embed
  value: "1500m"
- name: b
counts:
- 1
- 2.5
- true
- null
-
  - 3
  - []
)");
}

TEST_CASE("a string that YAML would read as something else is in quotes") {
  const Json value{"true", "No",    "null",        "y",    "1",    "1e3",      "2026-11-30",
                   "~",    "",      " a",          "a: b", "a #b", "- a",      "*a",
                   "a\nb", "\"q\"", "caf\xC3\xA9", ".5",   "a=b",  "abc-1.d/e"};

  CHECK(yaml_text(value) == R"(- "true"
- "No"
- "null"
- "y"
- "1"
- "1e3"
- "2026-11-30"
- "~"
- ""
- " a"
- "a: b"
- "a #b"
- "- a"
- "*a"
- "a\nb"
- "\"q\""
- "café"
- ".5"
- "a=b"
- abc-1.d/e
)");
}

TEST_CASE("Weir's own parser reads it back") {
  scalers::Problems problems;
  const auto node =
      parse_yaml(yaml_text(Json{{"a", {{{"b", "x: y"}, {"c", Json::array()}}}}}), "f", problems);

  CHECK(problems.size() == 0);
  CHECK(node.kind == scalers::Node::Kind::map);
}

}  // namespace
}  // namespace weir::server
